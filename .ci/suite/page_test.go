package main

import (
	"strings"
	"testing"
)

// A story that was skipped, or a file without any, must not look like one that passed.
func TestCountTAP(t *testing.T) {
	const text = "TAP version 13\n# Subtest: one\nok 1 - one\n  ---\n  duration_ms: 1\n  ...\n" +
		"# Subtest: two\nnot ok 2 - two\n  ---\n  error: 'never saw it'\n  ...\n" +
		"# Subtest: three\nok 3 - three # SKIP no reason\n# Subtest: four\nok 4 - four # TODO\n" +
		"# Subtest: /site/test/empty.test.mjs\nok 5 - /site/test/empty.test.mjs\n1..5\n# pass 2\n"
	s := &suite{passed: 10}
	if passed, failed := s.countTAP(strings.NewReader(text)); passed != 1 || failed != 4 {
		t.Errorf("%d passed, %d failed; want 1 and 4", passed, failed)
	}
	if s.passed != 11 || s.failed != 4 {
		t.Errorf("the suite has %d passed, %d failed", s.passed, s.failed)
	}
}
