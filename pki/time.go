package pki

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Time is a moment in whole seconds of UTC, the only precision a certificate
// has. In a plan it is RFC 3339.
type Time struct{ time.Time }

// At cuts a time to whole seconds of UTC.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

// ParseTime reads RFC 3339 or a date, which means its first second in UTC.
func ParseTime(s string) (Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		t, err := time.Parse(layout, s)
		if year := t.UTC().Year(); err == nil && 0 <= year && year <= 9999 { // an offset can reach beyond
			return At(t), nil
		}
	}
	return Time{}, refuse("plan-value", "time", "value", s, "want", "2026-11-22T20:00:00Z, 2026-11-22")
}

func (t Time) String() string { return t.Format(time.RFC3339) }

// MarshalText writes RFC 3339.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what ParseTime reads; an empty text is the zero time.
func (t *Time) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*t = Time{}
		return nil
	}
	*t, err = ParseTime(string(text))
	return err
}

// MarshalJSON and UnmarshalJSON stand here because the ones of the embedded
// time.Time would be taken otherwise: they keep offsets and fractions, and one
// moment would have many digests.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads a string as UnmarshalText does.
func (t *Time) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	return t.UnmarshalText([]byte(s))
}

const day = 24 * time.Hour

// Lifetime is how long a certificate lives: "10y" (a year has 365 days),
// "3650d", "720h", or the moment it ends, as a date or in RFC 3339.
type Lifetime string

// lifetimeUnits are what a length counts, in seconds.
var lifetimeUnits = map[string]int64{"y": 365 * 86400, "d": 86400, "h": 3600}

// length is a lifetime in seconds; ok is false for one that says when it ends.
func (l Lifetime) length() (seconds int64, ok bool) {
	number := strings.TrimRight(string(l), "ydh")
	unit, ok := lifetimeUnits[strings.TrimPrefix(string(l), number)]
	if !ok || number == "" || number[0] == '0' || len(number) > 7 || strings.Trim(number, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n * unit, err == nil
}

// lastMoment is the latest time that X.509 can write (RFC 5280, 4.1.2.5).
var lastMoment = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// End returns the notAfter of a certificate that starts at the given time. A
// length counts whole seconds and notAfter is the last of them, so one second
// is taken off (RFC 5280, 4.1.2.5: the period is inclusive).
func (l Lifetime) End(start Time) (Time, error) {
	seconds, ok := l.length()
	if !ok {
		end, err := ParseTime(string(l))
		if err != nil {
			return Time{}, refuse("plan-lifetime", "", "value", string(l))
		}
		return end, nil
	}
	if seconds-1 > lastMoment.Unix()-start.Unix() { // a Duration ends at 292 years
		return Time{}, refuse("plan-lifetime", "", "value", string(l))
	}
	return Time{time.Unix(start.Unix()+seconds-1, 0).UTC()}, nil
}

// earlier returns the earlier of two times.
func earlier(a, b Time) Time {
	if b.Before(a.Time) {
		return b
	}
	return a
}

// later returns the later of two times.
func later(a, b Time) Time {
	if b.After(a.Time) {
		return b
	}
	return a
}
