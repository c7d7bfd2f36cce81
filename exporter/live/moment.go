// Package live tells what happens second by second: the last minutes at once,
// and from then on each moment as it comes, by server-sent events.
package live

import (
	"time"

	"opensaves-soak/load/desired"
)

// Moment is what is known of one moment. Rates are a second and, like latencies,
// over the last ten seconds; they are of this process, the load is the fleet's.
// Nil is what nothing is known of.
type Moment struct {
	Glance
	Load       desired.Status `json:"load"`
	Operations []Operation    `json:"operations"` // those with requests, by name
	Components []Component    `json:"components"` // none without AWS
}

// Glance is the part of a Moment that is kept.
type Glance struct {
	Time       time.Time `json:"time"`
	Started    time.Time `json:"started"` // of the process
	Version    string    `json:"version"`
	Target     Target    `json:"target"`
	Asked      float64   `json:"asked_rps"` // that is to be sent now, ramp, pause and guards included
	Achieved   *float64  `json:"achieved_rps"`
	Failed     *float64  `json:"failed_rps"`
	Dropped    *float64  `json:"dropped_rps"`
	InFlight   float64   `json:"in_flight"`
	P50        *float64  `json:"p50_seconds"` // response times of successes
	P99        *float64  `json:"p99_seconds"`
	Wrong      float64   `json:"wrong_answers"` // since the start of the process
	Judged     *float64  `json:"judged_ratio"`  // of the answers that are checked
	Warmup     bool      `json:"warmup"`
	USDPerHour *float64  `json:"cost_usd_per_hour"` // of all components
	USDPerMio  *float64  `json:"cost_usd_per_million_requests"`
}

// Target is what is tested.
type Target struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Backend  string `json:"backend"`
}

// Operation is what one operation came to.
type Operation struct {
	Operation string   `json:"operation"`
	RPS       float64  `json:"rps"`
	Failed    float64  `json:"failed_ratio"`
	P50       *float64 `json:"p50_seconds"`
	P99       *float64 `json:"p99_seconds"`
}

// Component is a reading of a part of the deployment on AWS.
type Component struct {
	Component string   `json:"component"`
	Name      string   `json:"name"`
	Unit      string   `json:"unit"` // "share" is of 1
	Value     *float64 `json:"value"`
	Limit     *float64 `json:"limit"` // beyond which an alert fires; nil: there is none
	Age       *float64 `json:"age_seconds"`
}
