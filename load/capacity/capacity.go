// Package capacity looks for the highest rate that a target holds: it says what
// rate to try next and is told what came of it. It holds no clock, sends nothing
// and measures nothing.
package capacity

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Config is what a Search goes by. Rates are in requests a second.
type Config struct {
	Start        float64       // the first rate, over 0
	Cap          float64       // no rate is higher
	Settle       time.Duration // how long a step of the search lasts
	Prove        time.Duration // how long the rate that was found must hold
	IgnoreWarmUp bool          // do not wait for DynamoDB
}

// Phase is what a step is for.
type Phase string

// The phases.
const (
	Climb  Phase = "climb"  // to √2 times the rate before; down as much while none has held
	Wait   Phase = "wait"   // DynamoDB's warm-up forbids the next rate yet
	Bisect Phase = "bisect" // between a rate that held and one that broke
	Prove  Phase = "prove"  // whether the rate that was found holds for long
)

// Step is a rate to try. For is how long it is in force, and for a proof how long
// it is judged.
type Step struct {
	RPS   float64       `json:"rps"`
	For   time.Duration `json:"-"`
	Phase Phase         `json:"phase"`
}

// Verdict is what came of a step.
type Verdict struct {
	Missed  []string `json:"missed,omitempty"`  // a sentence for each thing that broke; none: the rate held
	Invalid string   `json:"invalid,omitempty"` // why the step says nothing of the target; empty: it does
	// Doubtful says that chance, or what was before, may explain what was missed. Of
	// a step that is over it says that the step did not count, and was tried again.
	Doubtful bool `json:"doubtful,omitzero"`
	Seen
}

// Seen is what was measured of a step. The search does not look at it.
type Seen struct {
	Achieved float64 `json:"achieved_rps"`
	P99      float64 `json:"p99_seconds,omitzero"` // of response times; 0: there were none
	InFlight float64 `json:"in_flight"`            // requests at the end of the step
}

// Held says that a step shows a rate that the target holds.
func (v Verdict) Held() bool { return v.Invalid == "" && len(v.Missed) == 0 }

// Done is a step that is over. It starts when its rate is in force.
type Done struct {
	Step
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Verdict
}

// Result is what a search came to.
type Result struct {
	RPS     float64  `json:"rps"`                // the highest rate that held; 0: none did
	Proven  bool     `json:"proven"`             // it held for Config.Prove
	BrokeAt float64  `json:"broke_at,omitempty"` // the lowest rate that broke; 0: none did
	Broke   []string `json:"broke,omitempty"`    // what broke there
	Ended   string   `json:"ended"`              // why the search ended where it did
	Steps   []Done   `json:"steps"`
}

// String says it in a sentence.
func (r Result) String() string {
	switch {
	case r.Proven:
		return fmt.Sprintf("Held %s requests a second for %s; %s.", Rate(r.RPS), r.Steps[len(r.Steps)-1].For, r.Ended)
	case r.RPS > 0:
		return fmt.Sprintf("Held %s requests a second, which is not proven; %s.", Rate(r.RPS), r.Ended)
	}
	return fmt.Sprintf("Held no rate; %s.", r.Ended)
}

// Rate writes a rate with the digits that it has.
func Rate(rps float64) string { return strconv.FormatFloat(rps, 'f', -1, 64) }

func broke(rps float64, missed []string) string {
	return fmt.Sprintf("%s broke %s", Rate(rps), strings.Join(missed, "; "))
}
