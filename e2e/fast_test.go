package e2e

import "testing"

// TestBundles starts k3s on every case.
func TestBundles(t *testing.T) {
	for _, c := range cases(completeRun()) {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			for _, failed := range judge(c.make(t)) {
				t.Errorf("%s: %v", failed.check, failed.err)
			}
		})
	}
}
