package main

import "math"

// missing is how many samples were not as wanted, and how many may be, at the most.
func (o outcome) missing() (got, most float64) {
	if o.AtMost {
		return float64(o.Matched), float64(o.Samples * o.Want)
	}
	return float64(o.Samples - o.Matched), float64(o.Samples * (1 - o.Want))
}

// decided takes those for undecided in which a single sample would decide: where less
// than one may be missing, one that is says nothing, and neither does none.
func decided(outcomes []outcome) []outcome {
	for i, o := range outcomes {
		if got, most := o.missing(); o.Status != noData && most < 1 && got <= 1 {
			outcomes[i].Status, outcomes[i].Got = noData, number(math.NaN())
		}
	}
	return outcomes
}

// chances is how many were missed by so little that chance explains it: within two
// standard deviations of what independent samples would vary by at the limit.
func chances(outcomes []outcome) (count int) {
	for _, o := range outcomes {
		if got, most := o.missing(); o.Status == missed && got <= most+2*math.Sqrt(float64(o.Samples*o.Want*(1-o.Want))) {
			count++
		}
	}
	return count
}
