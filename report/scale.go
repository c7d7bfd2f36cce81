package report

import (
	"errors"
	"fmt"
)

// Scaling is how throughput grows with the requests in flight, by the Universal
// Scalability Law, or why that cannot be said.
type Scaling struct {
	Refusal string `json:"refusal,omitempty"`
	Lambda  Bounds `json:"lambda"`         // requests a second of one in flight
	Sigma   Bounds `json:"sigma"`          // contention
	Kappa   Bounds `json:"kappa"`          // coherence
	PeakN   Bounds `json:"peak_in_flight"` // requests in flight at the peak
	PeakRPS Bounds `json:"peak_rps"`       // throughput there
	R2      Figure `json:"r_squared"`      // share of the variance that the law explains
}

// Bounds is an estimate with its 95 % confidence interval.
type Bounds struct {
	Value Figure `json:"value"`
	Low   Figure `json:"low"`
	High  Figure `json:"high"`
}

func bounds(e Estimate) Bounds { return Bounds{Figure(e.Value), Figure(e.Low), Figure(e.High)} }

// unsettled is how many times the other one end of a peak's interval may be, and how
// many times what any level served the peak, before it is none to be told.
const unsettled = 2

// scale fits the law to the levels.
func (r *Report) scale() {
	r.Scaling = Scaling{Refusal: "No level was measured."}
	var points []Point
	most := 0.
	for _, l := range r.Levels {
		if l.InFlight > 0 && l.Served > 0 && l.Invalid == "" {
			most = max(most, float64(l.Served))
			points = append(points, Point{N: float64(l.InFlight), X: float64(l.Served), Weight: 1 / float64(l.Served*l.Served)})
		}
	}
	if len(points) == 0 {
		return
	}
	u, err := FitUSL(points)
	refused, peak := new(FitError), u.PeakX
	switch {
	case errors.As(err, &refused):
		r.Scaling.Refusal = refused.Sentence
	case err != nil:
		r.Scaling.Refusal = err.Error()
	case len(points) == 3: // as many as the law has parameters
		r.Scaling.Refusal = "Three levels leave nothing to tell the error of the scalability law by: it takes a fourth to tell where throughput peaks."
	case peak.High > unsettled*peak.Low:
		r.Scaling.Refusal = fmt.Sprintf("The levels do not settle where throughput peaks: it may be anywhere from %s to %s requests a second (95 %%).", figures(peak.Low), figures(peak.High))
	case peak.Value > unsettled*most: // a limit that throughput runs into is none of the law's
		r.Scaling.Refusal = fmt.Sprintf("The levels do not tell where throughput peaks: by the law at %s requests a second, which is more than twice what any level served.", figures(peak.Value))
	default:
		r.Scaling = Scaling{
			Lambda: bounds(u.Lambda), Sigma: bounds(u.Sigma), Kappa: bounds(u.Kappa), PeakN: bounds(u.PeakN), PeakRPS: bounds(u.PeakX), R2: Figure(u.R2),
		}
	}
}
