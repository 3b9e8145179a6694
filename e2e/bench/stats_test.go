package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{8, 1, 4, 2}, 3},
	} {
		before := slices.Clone(c.values)
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
		// The order is the round; sorting in place would undo the pairing.
		if !slices.Equal(before, c.values) {
			t.Errorf("median changed %v to %v", before, c.values)
		}
	}
}

func TestQuantile(t *testing.T) {
	sorted := []float64{0, 10, 20, 30, 40}
	for q, want := range map[float64]float64{0: 0, 0.025: 1, 0.5: 20, 0.975: 39, 1: 40} {
		if got := quantile(sorted, q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile(%v) = %v, want %v", q, got, want)
		}
	}
}

// A ratio that is the same in every round has no spread, however much the
// rounds differ, as long as numerator and denominator are drawn together.
func TestBootstrapKeepsPairs(t *testing.T) {
	den := []float64{1, 50, 3, 700, 9, 20, 41, 2, 300, 6, 11}
	num := make([]float64, len(den))
	for i, v := range den {
		num[i] = v / 4
	}
	low, high := bootstrap(num, den)
	if low != 0.25 || high != 0.25 {
		t.Errorf("interval %v … %v, want 0.25 … 0.25", low, high)
	}
}

// One value in the numerator and three equally frequent ones in the
// denominator: the median of a resample is 1, 2 or 4, so the interval of the
// ratio is exactly 1/4 … 1 for so few rounds.
func TestBootstrapOfThreeRounds(t *testing.T) {
	low, high := bootstrap([]float64{1, 1, 1}, []float64{1, 2, 4})
	if low != 0.25 || high != 1 {
		t.Errorf("interval %v … %v, want 0.25 … 1", low, high)
	}
}

// Ninety-five in a hundred intervals should hold the true ratio. The seeds are
// fixed, so the count is too.
func TestBootstrapCoverage(t *testing.T) {
	const trials, rounds, truth = 100, 20, 0.5
	rng := rand.New(rand.NewPCG(7, 7))
	held := 0
	for range trials {
		num, den := make([]float64, rounds), make([]float64, rounds)
		for i := range num {
			num[i], den[i] = 50+5*rng.NormFloat64(), 100+10*rng.NormFloat64()
		}
		if low, high := bootstrap(num, den); low <= truth && truth <= high {
			held++
		}
	}
	if held < 88 || held > 99 {
		t.Errorf("%d of %d intervals hold the true ratio, want about 95", held, trials)
	}
}

func TestBootstrapIsReproducible(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	num, den := make([]float64, 20), make([]float64, 20)
	for i := range num {
		num[i], den[i] = 1+rng.Float64(), 1+rng.Float64()
	}
	low, high := bootstrap(num, den)
	again, againHigh := bootstrap(num, den)
	if low != again || high != againHigh {
		t.Errorf("%v … %v, then %v … %v", low, high, again, againHigh)
	}
}

func TestFormatRatio(t *testing.T) {
	for r, want := range map[float64]string{
		1.0 / 25: "1/25.0", 0.032: "1/31.2", 0.5: "1/2.0", 1: "1.00", 2.414: "2.41", 3: "3.00",
	} {
		if got := formatRatio(r); got != want {
			t.Errorf("formatRatio(%v) = %q, want %q", r, got, want)
		}
	}
}
