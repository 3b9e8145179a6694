package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// Foreign files may hold anything. Whatever they hold, a report comes back, in
// JSON too, and soon.

// patience is far above what a report takes on a busy machine.
const patience = 20 * time.Second

func FuzzInspect(f *testing.F) {
	b := newCluster(f, pki.Isolated).bundle()
	for _, file := range b.Files {
		f.Add(file.Path, file.Data)
	}
	f.Add("etcd/server-ca.crt", []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		var b pki.Bundle
		b.Add(name, pki.KindOf(name), data)
		b.Add("z/"+name, pki.KindOf(name), data)
		soon(t, func() any { return report.Inspect(b, issueTime) })
	})
}

func FuzzVerify(f *testing.F) {
	c := newCluster(f, pki.Isolated)
	good := c.bundle()
	for i, file := range good.Files {
		f.Add(uint(i), file.Data)
		f.Add(uint(i+3), file.Data)
	}
	f.Add(uint(0), pki.EncodeCertificates(c.certs[pki.Root], c.certs[pki.ClientCA], c.certs[pki.Root]))
	for i, file := range good.Files {
		f.Add(uint(i), concat([]byte(bom), file.Data))
		f.Add(uint(i), bytes.ReplaceAll(file.Data, []byte("\n"), []byte("\r")))
		f.Add(uint(i), bytes.ReplaceAll(file.Data, []byte("-----\nM"), []byte("-----\nComment: x\n\nM")))
		f.Add(uint(i), secret(f, file.Data, file.Data))
	}
	f.Fuzz(func(t *testing.T, which uint, data []byte) {
		broken := pki.Bundle{Time: good.Time}
		for i, file := range good.Files {
			if uint(i) == which%uint(len(good.Files)) {
				file.Data = data
			}
			broken.Add(file.Path, file.Kind, file.Data)
		}
		soon(t, func() any {
			v := verify(t, broken)
			for _, f := range v.Findings {
				if f.Code == "pem-unread" && (f.Args["what"] == "" || f.Args["read"] == f.Args["blocks"]) {
					t.Errorf("unread without a reason: %v", f)
				}
			}
			return v
		})
	})
}

func FuzzDynamicCert(f *testing.F) {
	c := newCluster(f, pki.Isolated)
	f.Add(secret(f, pki.EncodeCertificates(c.order[pki.ServerCA]...), c.files["tls/server-ca.key"]))
	f.Add([]byte(`{"data":{"tls.crt":"LS0tLS1CRUdJTiA="}}`))
	f.Add([]byte(`{"clusters":[{"cluster":{"certificate-authority-data":""}}],"users":[{"user":{}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b pki.Bundle
		b.Add("tls/dynamic-cert.json", pki.KindSecret, data)
		b.Add("tls/server-ca.crt", pki.KindChain, pki.EncodeCertificates(c.order[pki.ServerCA]...))
		soon(t, func() any { return report.Inspect(b, issueTime) })
		soon(t, func() any { return verify(t, b) })
	})
}

func soon(t *testing.T, run func() any) {
	t.Helper()
	start := time.Now()
	result := run()
	if took := time.Since(start); took > patience {
		t.Fatalf("took %s", took)
	}
	if _, err := json.Marshal(result); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		bundle := issue(b, pki.Plan{Topology: topology}).Server
		b.Run(string(topology), func(b *testing.B) {
			for b.Loop() {
				if v, err := report.Verify(b.Context(), bundle, issueTime, pki.Random{}); err != nil || v.Count(pki.Error) > 0 {
					b.Fatal(err, v.Findings)
				}
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	bundle := issue(b, pki.Plan{Topology: pki.Isolated}).Server
	for b.Loop() {
		report.Inspect(bundle, issueTime)
	}
}
