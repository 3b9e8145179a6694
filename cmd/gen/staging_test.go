package main

import (
	"os"
	"testing"
	"time"
)

// A time in the bootstrap data is whatever a server once had: beyond 2262 the
// nanoseconds of a system call wrapped around, and the file was of 1901.
func TestTimesThatNoFileHolds(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.WriteFile("x", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for _, tt := range []struct {
		at       time.Time
		from, to int // years, as file systems differ in how far they go
	}{
		{now, 2026, 2026},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), 2038, 2446},
		{time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), 1677, 1970},
		{time.Time{}, 1677, 1970}, // none: it stays
	} {
		if err := setTime(root, "x", tt.at); err != nil {
			t.Fatal(err)
		}
		info, err := root.Stat("x")
		if err != nil {
			t.Fatal(err)
		}
		if year := info.ModTime().UTC().Year(); year < tt.from || year > tt.to {
			t.Errorf("%s became %s", tt.at, info.ModTime())
		}
	}
}
