package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// resamples and the seed of the bootstrap are fixed: the same measurements
// always give the same interval.
const (
	resamples = 10_000
	seed      = 1
)

// quantile returns the q-quantile of sorted values, interpolated linearly
// between the two nearest.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// median returns the median and leaves values as they are.
func median(values []float64) float64 {
	return quantile(slices.Sorted(slices.Values(values)), 0.5)
}

// bootstrap returns the 95 % percentile interval of median(num)/median(den).
// It draws rounds, not values: num[i] and den[i] were measured together and
// stay together, so what slowed a whole round down cancels out.
func bootstrap(num, den []float64) (low, high float64) {
	rng := rand.New(rand.NewPCG(seed, seed))
	ratios := make([]float64, resamples)
	n, d := make([]float64, len(num)), make([]float64, len(den))
	for i := range ratios {
		for j := range n {
			round := rng.IntN(len(num))
			n[j], d[j] = num[round], den[round]
		}
		slices.Sort(n)
		slices.Sort(d)
		ratios[i] = quantile(n, 0.5) / quantile(d, 0.5)
	}
	slices.Sort(ratios)
	return quantile(ratios, 0.025), quantile(ratios, 0.975)
}

// formatRatio writes a ratio as people say it: 1/31.2 below one, 2.41 above.
func formatRatio(r float64) string {
	if r < 1 {
		return fmt.Sprintf("1/%.1f", 1/r)
	}
	return fmt.Sprintf("%.2f", r)
}
