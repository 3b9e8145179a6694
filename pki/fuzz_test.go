package pki_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// mustRefuse says that an error about an input is one that people can read.
func mustRefuse(t *testing.T, err error) {
	t.Helper()
	refusal := (*pki.Refusal)(nil)
	if err != nil && (!errors.As(err, &refusal) || len(refusal.Findings) == 0) {
		t.Errorf("an error without a finding: %v", err)
	}
}

// No certificate gets lost: what the standard library finds, we find or refuse.
func FuzzDecodePEM(f *testing.F) {
	root := authority(f, "root", pki.P256, nil)
	chain := pki.EncodeCertificates(authority(f, "ca", pki.P256, root).Certificate, root.Certificate)
	key, _ := pki.ExportPEM(root.Key)
	for _, seed := range [][]byte{
		chain, key, join(key, chain), join("\xef\xbb\xbf", replace(chain, "\n", "\r\n")), join(bytes.TrimSpace(chain), chain), chain[:len(chain)-20],
		replace(key, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n"), replace(chain, "-----BEGIN", " -----BEGIN"),
		[]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
		join(chain, "-----BEGIN garbage\n"), join("-----BEGIN CHAIN----- of\n", chain, "-----END CHAIN-----\n", key), replace(chain, "\n-----END", "-----END"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sameAsGo(t, data)
		certs, _, err := pki.ParseCertificates("fuzz", data)
		mustRefuse(t, err)
		if err == nil {
			theirs := 0
			for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
				if block.Type == "CERTIFICATE" {
					theirs++
				}
			}
			if len(certs) < theirs {
				t.Errorf("%d certificates, the standard library finds %d", len(certs), theirs)
			}
			again, notes, err := pki.ParseCertificates("fuzz", pki.EncodeCertificates(certs...))
			if err != nil || len(notes) > 0 || !slices.EqualFunc(again, certs, (*x509.Certificate).Equal) {
				t.Errorf("written and read again: %v %v", notes, err)
			}
			_, _, err = pki.OrderChain(pki.Root, certs, nil)
			mustRefuse(t, err)
			for _, c := range certs {
				pki.LintAuthority(c, "fuzz")
			}
		}
		keys, _, err := pki.ParseKeys("fuzz", data)
		mustRefuse(t, err)
		for _, k := range keys {
			text, err := k.Key.PEM()
			if err != nil {
				t.Fatal(err)
			}
			back, _, err := pki.ParseKeys("fuzz", text)
			if err != nil || !back[0].Key.Public().(equaler).Equal(k.Key.Public()) {
				t.Errorf("written and read again: %v", err)
			}
		}
	})
}

// sameAsGo says that what we find k3s finds too, and no more than that. Go takes
// neither a byte order mark nor the line ends of old Macs.
func sameAsGo(t *testing.T, data []byte) {
	t.Helper()
	ours, _, err := pki.DecodePEM("fuzz", data)
	if err != nil || bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) || bytes.ContainsRune(data, '\r') {
		return
	}
	var theirs []*pem.Block
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		theirs = append(theirs, block)
	}
	if !slices.EqualFunc(ours, theirs, func(a, b *pem.Block) bool { return a.Type == b.Type && bytes.Equal(a.Bytes, b.Bytes) }) {
		t.Errorf("%d blocks, the standard library finds %d", len(ours), len(theirs))
	}
}

// What an archive gives is safe to write: relative names, one file each.
func FuzzReadArchive(f *testing.F) {
	limits := pki.Limits{File: 1 << 12, Total: 1 << 14, Entries: 16}
	f.Add(tarOf(f, sample()))
	f.Add(tarGzOf(f, sample()))
	f.Add(raw(f, entry{name: "a", kind: '2', link: "/etc"}))
	f.Add(raw(f, entry{name: "tls/", kind: '5'}, entry{name: "tls/../x", data: "x"}))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := pki.ReadArchive(bytes.NewReader(data), limits)
		mustRefuse(t, err)
		if err != nil {
			return
		}
		total, short := int64(0), true
		for i, file := range b.Files {
			if !fs.ValidPath(file.Path) || i > 0 && b.Files[i-1].Path >= file.Path {
				t.Errorf("path %q", file.Path)
			}
			total += int64(len(file.Data))
			short = short && len(file.Path) < 90
		}
		if total > limits.Total || len(b.Files) > limits.Entries {
			t.Errorf("%d bytes in %d files", total, len(b.Files))
		}
		for _, dir := range b.Dirs() {
			if b.File(dir) != nil {
				t.Errorf("%q is a file and a directory", dir)
			}
		}
		var out bytes.Buffer
		if err := pki.WriteTar(&out, b); err != nil || !short {
			return // times and names that USTAR cannot hold
		}
		if back, err := pki.ReadArchive(&out, pki.DefaultLimits); len(b.Files) > 0 && (err != nil || !slices.Equal(paths(back), paths(b))) {
			t.Errorf("%q, written and read again %q: %v", paths(b), paths(back), err)
		}
	})
}

// A plan that is accepted resolves to one canonical form, or is refused.
func FuzzParsePlan(f *testing.F) {
	for _, seed := range []string{
		`{"apiVersion":"rootkiln/v1","kind":"Plan"}`,
		`{"apiVersion":"rootkiln/v1","kind":"Plan","time":"2026-11-22T20:00:00+08:00","name":"a","organization":["é\u2028"],"validity":{"ca":"9999-12-31"}}`,
		`{"apiVersion":"rootkiln/v1","kind":"Plan","distro":"rke2","topology":"shared","profile":"upstream","time":"2026-11-22","keys":{"root":"p521"},"elsewhere":["root"],"nameConstraints":{"permittedDNS":["a.b"],"permittedIP":["::/0"]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, err := pki.ParsePlan(data)
		mustRefuse(t, err)
		if err != nil {
			return
		}
		if plan.Time != pki.At(plan.Time.Time) {
			t.Errorf("time %s is not in its one form", plan.Time)
		}
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatalf("%+v: %v", plan, err)
		}
		if back, err := pki.ParsePlan(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		} else if again, _ := json.Marshal(back); !bytes.Equal(again, text) {
			t.Fatalf("%s became %s", text, again)
		}
		layout, err := k3s.Layout(plan)
		mustRefuse(t, err)
		if err != nil {
			return
		}
		resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
		mustRefuse(t, err)
		if err == nil {
			roundTrip(t, resolved)
		}
	})
}

// roundTrip says that the canonical form is one.
func roundTrip(t *testing.T, r pki.Resolved) {
	t.Helper()
	canonical, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	back, err := pki.ParseResolved(canonical)
	if err != nil {
		t.Fatalf("%s: %v", canonical, err)
	}
	if again, _ := back.Canonical(); !bytes.Equal(again, canonical) {
		t.Fatalf("%s became %s", canonical, again)
	}
}

func FuzzParseResolved(f *testing.F) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		r, _ := resolve(f, newPlan(func(p *pki.Plan) { p.Topology, p.Elsewhere = topology, []pki.Role{pki.Root} }), pki.Given{})
		canonical, _ := r.Canonical()
		f.Add(canonical)
	}
	f.Add([]byte(`{"apiVersion":"rootkiln/v1","kind":"ResolvedPlan"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := pki.ParseResolved(data)
		mustRefuse(t, err)
		if err == nil {
			roundTrip(t, r)
			r.Requests()
		}
	})
}

// stateSeed is a state with its request.
func stateSeed(f *testing.F) (pki.Resolved, []byte, []byte) {
	plan := newPlan(func(p *pki.Plan) { p.Keys, p.Elsewhere = ecKeys, []pki.Role{pki.Root} })
	r := runOf(f, plan, pki.Given{})
	out, err := r.Request(f.Context(), plan)
	if err != nil {
		f.Fatal(err)
	}
	state, err := out.State.MarshalState()
	if err != nil {
		f.Fatal(err)
	}
	return r.Plan, state, out.Requests[pki.Intermediate]
}

func FuzzParseState(f *testing.F) {
	_, state, _ := stateSeed(f)
	if _, _, err := pki.ParseState(state); err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add([]byte(`{"apiVersion":"rootkiln/v1","kind":"RequestState","keys":{"root":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, keys, err := pki.ParseState(data)
		mustRefuse(t, err)
		if err != nil {
			return
		}
		text, err := s.MarshalState()
		if err != nil {
			t.Fatal(err)
		}
		if _, again, err := pki.ParseState(text); err != nil || len(again) != len(keys) {
			t.Errorf("written and read again: %v", err)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	plan, _, request := stateSeed(f)
	f.Add(request)
	f.Add(replace(request, "BEGIN", "BEGIN NEW", "END", "END NEW"))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		csr, _, err := pki.ParseRequest("fuzz", data)
		mustRefuse(t, err)
		if err != nil {
			return
		}
		spec, _, err := plan.Vet(csr, "fuzz")
		mustRefuse(t, err)
		if err == nil && spec.Role != pki.Intermediate {
			t.Errorf("vetted for %s", spec.Role)
		}
	})
}

// An end is a moment that a certificate can hold, and a length ends after its
// start.
func FuzzLifetime(f *testing.F) {
	for _, seed := range []string{"10y", "1h", "3650d", "9999999y", "2036-01-01", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00+23:59", "2036-01-01T00:00:00.5-08:00"} {
		f.Add(seed, issueTime.Unix())
	}
	f.Add("1y", int64(253402300799))
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	f.Fuzz(func(t *testing.T, lifetime string, start int64) {
		from := pki.At(time.Unix(start, 0))
		if from.Year() < 1970 || from.After(last) {
			return
		}
		end, err := pki.Lifetime(lifetime).End(from)
		mustRefuse(t, err)
		if err != nil {
			return
		}
		if end.After(last) || end.Nanosecond() != 0 {
			t.Errorf("%q from %s ends %s", lifetime, from, end)
		}
		if c := lifetime[len(lifetime)-1]; (c == 'y' || c == 'd' || c == 'h') && !end.After(from.Time) {
			t.Errorf("%q from %s ends %s", lifetime, from, end)
		}
		if back, err := pki.ParseTime(end.String()); err != nil || back != end {
			t.Errorf("%s reads back as %s (%v)", end, back, err)
		}
	})
}
