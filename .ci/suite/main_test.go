package main

import "testing"

// A stage that is misspelt must not look like one that passed.
func TestChosen(t *testing.T) {
	if all, err := chosen(""); err != nil || len(all) != len(stages) {
		t.Errorf("%d stages, error %v; want all %d", len(all), err, len(stages))
	}
	for _, want := range stages {
		if got, err := chosen(want.name); err != nil || len(got) != 1 || got[0].name != want.name {
			t.Errorf("%s: %v, error %v", want.name, got, err)
		}
	}
	if got, err := chosen("typo"); err == nil {
		t.Errorf("an unknown stage chose %d stages", len(got))
	}
}
