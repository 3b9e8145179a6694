package pki_test

import (
	"encoding/json"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"rootkiln/pki"
)

// A length counts whole seconds, and notAfter is the last of them: RFC 5280,
// 4.1.2.5 includes both ends. A year has 365 days, whatever the calendar says.
func TestLifetimeEnds(t *testing.T) {
	for _, tt := range []struct {
		start    string
		lifetime pki.Lifetime
		end      string
	}{
		{"2026-01-01T00:00:00Z", "1h", "2026-01-01T00:59:59Z"},
		{"2026-01-01T00:00:00Z", "1d", "2026-01-01T23:59:59Z"},
		{"2026-01-01T00:00:00Z", "24h", "2026-01-01T23:59:59Z"},
		{"2026-01-01T00:00:00Z", "1y", "2026-12-31T23:59:59Z"},
		{"2028-01-01T00:00:00Z", "1y", "2028-12-30T23:59:59Z"}, // a leap year
		{"2026-01-01T00:00:00Z", "365d", "2026-12-31T23:59:59Z"},
		{"2026-11-22T19:00:00Z", "20y", "2046-11-17T18:59:59Z"},
		{"2026-01-01T00:00:00Z", "2036-05-06", "2036-05-06T00:00:00Z"},
		{"2026-01-01T00:00:00Z", "2036-05-06T07:08:09Z", "2036-05-06T07:08:09Z"},
		{"2026-01-01T00:00:00Z", "2036-05-06T07:08:09+08:00", "2036-05-05T23:08:09Z"},
		{"2026-01-01T00:00:00Z", "2036-05-06T07:08:09.9Z", "2036-05-06T07:08:09Z"},
		{"9999-12-31T00:00:00Z", "24h", "9999-12-31T23:59:59Z"}, // the last second there is
		{"9999-12-31T00:00:00Z", "25h", ""},
		{"2026-01-01T00:00:00Z", "9999999y", ""},
		{"2026-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", ""},
	} {
		end, err := tt.lifetime.End(parseTime(t, tt.start))
		if tt.end == "" {
			wantRefusal(t, err, "plan-lifetime")
		} else if err != nil || end.String() != tt.end {
			t.Errorf("%s from %s: %s (%v), want %s", tt.lifetime, tt.start, end, err, tt.end)
		}
	}
}

// However a moment is written, it is one moment in a plan: whole seconds, UTC.
func TestTimeHasOneForm(t *testing.T) {
	const want = `"2026-11-22T20:00:00Z"`
	for _, text := range []string{
		"2026-11-22T20:00:00Z", "2026-11-22T20:00:00.999Z", "2026-11-23T04:00:00+08:00", "2026-11-22T14:00:00-06:00",
	} {
		var got pki.Time
		if err := json.Unmarshal([]byte(`"`+text+`"`), &got); err != nil {
			t.Fatal(err)
		}
		if out, err := json.Marshal(got); err != nil || string(out) != want {
			t.Errorf("%s became %s (%v)", text, out, err)
		}
		if parsed := parseTime(t, text); parsed != got || parsed != issueTime {
			t.Errorf("%s: ParseTime says %s", text, parsed)
		}
	}
	if got := parseTime(t, "2026-11-22"); got.String() != "2026-11-22T00:00:00Z" {
		t.Errorf("a date is its first second, not %s", got)
	}
	zone := time.FixedZone("", 3600)
	if got := pki.At(time.Date(2026, 11, 22, 21, 0, 0, 1, zone)); got != issueTime {
		t.Errorf("At: %s", got)
	}
	for _, text := range []string{"22.11.2026", "", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "2026-11-22T20:00:00"} {
		_, err := pki.ParseTime(text)
		wantRefusal(t, err, "plan-value")
	}
	if err := json.Unmarshal([]byte(`7`), new(pki.Time)); err == nil {
		t.Error("a number was taken for a time")
	}
}

// RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
func TestDatesInTheCertificate(t *testing.T) {
	for _, tt := range []struct {
		end  pki.Lifetime
		tag  casn1.Tag
		text string
	}{
		{"2049-12-31T23:59:59Z", casn1.UTCTime, "491231235959Z"},
		{"2050-01-01T00:00:00Z", casn1.GeneralizedTime, "20500101000000Z"},
		{"9999-12-31T23:59:59Z", casn1.GeneralizedTime, "99991231235959Z"},
	} {
		issued := issue(t, newPlan(func(p *pki.Plan) {
			p.Keys = ecKeys
			p.Validity = pki.Lifetimes{Root: tt.end, Intermediate: tt.end, CA: tt.end}
		}), pki.Given{})
		for role, a := range issued.Authorities {
			before, after := validity(t, a.Certificate.RawTBSCertificate)
			if before != (encodedTime{casn1.UTCTime, "261122190000Z"}) || after != (encodedTime{tt.tag, tt.text}) {
				t.Errorf("%s until %s: %v, %v", role, tt.end, before, after)
			}
		}
	}
}

var ecKeys = pki.Keys{Root: pki.P384, Intermediate: pki.P384, CA: pki.P256, Service: pki.P256}

type encodedTime struct {
	tag  casn1.Tag
	text string
}

// validity reads the two dates as they are encoded (RFC 5280, 4.1).
func validity(t *testing.T, tbs []byte) (before, after encodedTime) {
	t.Helper()
	in, dates := cryptobyte.String(tbs), cryptobyte.String(nil)
	read := func(e *encodedTime) bool {
		var text cryptobyte.String
		ok := dates.ReadAnyASN1(&text, &e.tag)
		e.text = string(text)
		return ok
	}
	ok := in.ReadASN1(&in, casn1.SEQUENCE) &&
		in.SkipOptionalASN1(casn1.Tag(0).Constructed().ContextSpecific()) &&
		in.SkipASN1(casn1.INTEGER) && in.SkipASN1(casn1.SEQUENCE) && in.SkipASN1(casn1.SEQUENCE) &&
		in.ReadASN1(&dates, casn1.SEQUENCE) && read(&before) && read(&after) && dates.Empty()
	if !ok {
		t.Fatal("no validity in the certificate")
	}
	return before, after
}

func parseTime(t testing.TB, s string) pki.Time {
	t.Helper()
	got, err := pki.ParseTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
