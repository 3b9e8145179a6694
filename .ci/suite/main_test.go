package main

import "testing"

// A stage that is misspelt must not look like one that passed.
func TestChosen(t *testing.T) {
	if all, err := chosen(stages, ""); err != nil || len(all) != len(stages) {
		t.Errorf("%d stages, error %v; want all %d", len(all), err, len(stages))
	}
	for _, want := range stages {
		if got, err := chosen(stages, want.name); err != nil || len(got) != 1 || got[0].name != want.name {
			t.Errorf("%s: %v, error %v", want.name, got, err)
		}
	}
	if got, err := chosen(stages, "typo"); err == nil {
		t.Errorf("an unknown stage chose %d stages", len(got))
	}
}

// golang/go#75804: only the end of the fuzzing time is no failure, never an input
// that fails.
func TestDeadlineRace(t *testing.T) {
	const clock = "fuzz: elapsed: 6s, execs: 22 (0/sec)\n--- FAIL: FuzzInspect (6.04s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
	for text, want := range map[string]bool{
		clock: true,
		"--- FAIL: FuzzInspect (0.84s)\n    --- FAIL: FuzzInspect (0.00s)\n        x_test.go:3: panic\n    \n    Failing input written to testdata/fuzz/FuzzInspect/1\nFAIL\n": false,
		"--- FAIL: FuzzInspect (6.04s)\n    context deadline exceeded\nFAIL\n    Failing input written to testdata/fuzz/FuzzInspect/1\n":                                       false,
		"--- FAIL: FuzzInspect (6.04s)\n    fuzzing process hung or terminated unexpectedly: exit status 2\n    Failing input written to testdata/fuzz/FuzzInspect/1\nFAIL\n":  false,
	} {
		if got := deadlineRace(text); got != want {
			t.Errorf("deadlineRace = %v, want %v:\n%s", got, want, text)
		}
	}
}
