package report

import "time"

// Reading is what a component of the deployment showed at a level.
type Reading struct {
	Component string `json:"component"` // as metric.Component has it
	Name      string `json:"name"`      // for example "CPU of the busiest pod, of its limit"
	Unit      Unit   `json:"unit"`
	Mean      Figure `json:"mean"`
	Highest   Figure `json:"highest"`
	Limit     Figure `json:"limit"`     // at which the component counts as saturated; null: none
	Saturated bool   `json:"saturated"` // its mean is over the limit, or where that is 0, its median
}

// Unit is what a figure counts.
type Unit string

// The units.
const (
	Share        Unit = "share" // of 1
	PerSecond    Unit = "a second"
	UnitsASecond Unit = "capacity units a second"
	BytesASecond Unit = "bytes a second"
	Bytes        Unit = "bytes"
	Seconds      Unit = "seconds"
	Count        Unit = ""
)

// Onset is when a component was first seen to be saturated.
type Onset struct {
	Component string    `json:"component"`
	Name      string    `json:"name"` // of the reading that told
	Unit      Unit      `json:"unit"`
	At        time.Time `json:"at"`
	RPS       Figure    `json:"rps"` // that was asked for then
	Value     Figure    `json:"value"`
	Limit     Figure    `json:"limit"`
	Cold      bool      `json:"cold_capacity"` // DynamoDB only: its load had doubled within 30 minutes
}

// Bottleneck is which component gives way first.
type Bottleneck struct {
	Component string   `json:"component"` // empty: nothing was saturated, or nobody could see it
	Sentence  string   `json:"sentence"`  // the finding with its figures
	Onsets    []Onset  `json:"onsets"`    // of every component that was saturated, earliest first
	Blind     []string `json:"blind"`     // what could not be seen, as sentences
}

// Trend is how a figure drifted in the longest level.
type Trend struct {
	Name        string `json:"name"` // for example "p99 of class read"
	Unit        Unit   `json:"unit"`
	PerDay      Bounds `json:"per_day"`  // in its unit
	Relative    Bounds `json:"relative"` // share of its median a day
	Hours       int    `json:"hours"`    // that it was found in
	Significant bool   `json:"significant"`
	Caveat      string `json:"caveat,omitempty"`
}

// Advice is something to do, with the arithmetic behind it.
type Advice struct {
	Component  string `json:"component"`
	Do         string `json:"do"`         // one sentence
	Arithmetic string `json:"arithmetic"` // with all figures it needs
}

// CostLine is how cost follows the rate: USD an hour = fixed + per million × rate.
type CostLine struct {
	Fixed      Figure `json:"fixed_usd_per_hour"`
	PerMillion Figure `json:"usd_per_million_requests"` // of what varies
	Deviation  Figure `json:"largest_deviation"`        // of a level from the line, as a share of its cost
	Sentence   string `json:"sentence"`                 // linear: yes or no, or why that cannot be said
}

// Moment is a point of the report's timeline.
type Moment struct {
	At       time.Time `json:"at"`
	Asked    Figure    `json:"asked_rps"`
	Achieved Figure    `json:"achieved_rps"`
	P99      Figure    `json:"p99_seconds"` // of all successes
}
