package desired

import "time"

// Limit is why less is sent than is wanted: the field "limited_by".
type Limit string

// The limits.
const (
	Unlimited     Limit = ""
	ByErrors      Limit = "guard_errors"
	ByCost        Limit = "guard_cost"
	ByBytes       Limit = "guard_bytes"
	ByMaxInFlight Limit = "max_in_flight"
	ByRamp        Limit = "ramp"
	ByPause       Limit = "paused"
	ByLedger      Limit = "ledger"
	ByFleet       Limit = "fleet"
)

// Live is what is: the part of Status that only the load itself knows.
type Live struct {
	AchievedRPS       float64
	SkippedOperations []string // which the protocol lacks
	LimitedBy         Limit    // beside pause and ramp
	Replica           Replica
}

// Replica is this process's place in the fleet.
type Replica struct {
	ShareRPS float64 `json:"share_rps"` // requests a second
	Index    int     `json:"index"`     // from 0
	Count    int     `json:"count"`
}

// Status is the answer of GET /api/v1/load: what is wanted, what is, and
// why they differ.
type Status struct {
	RPS               float64            `json:"rps"` // wanted, ramp and pause aside; fleet-wide
	MaxRPS            float64            `json:"max_rps"`
	AchievedRPS       float64            `json:"achieved_rps"`
	Paused            bool               `json:"paused"`
	Source            Source             `json:"source"`
	Expires           *time.Time         `json:"expires"`
	Stage             *int               `json:"stage"` // from 0; null: no stage is in force
	Scenarios         map[string]float64 `json:"scenarios"`
	ReadRatio         float64            `json:"read_ratio"`
	SkippedOperations []string           `json:"skipped_operations"`
	LimitedBy         *Limit             `json:"limited_by"`
	Replica           Replica            `json:"replica"`

	Version string `json:"-"` // the ETag, without its quotes
}

// Status returns the whole answer for an instant.
func (s State) Status(at time.Time, live Live) Status {
	point, mix := s.At(at), s.Mix(at)
	status := Status{
		RPS:               point.Target,
		MaxRPS:            s.Base.MaxRPS,
		AchievedRPS:       live.AchievedRPS,
		Paused:            point.Paused,
		Source:            point.Source,
		Scenarios:         map[string]float64{},
		ReadRatio:         mix.ReadRatio,
		SkippedOperations: append([]string{}, live.SkippedOperations...),
		Replica:           live.Replica,
		Version:           s.Version,
	}
	if mix.Scenarios != nil {
		status.Scenarios = mix.Scenarios
	}
	if o := s.Active(at); o != nil && !o.Expires.IsZero() {
		expires := o.Expires.UTC()
		status.Expires = &expires
	}
	if point.Stage >= 0 {
		status.Stage = &point.Stage
	}
	if limit := limitedBy(point, live.LimitedBy); limit != Unlimited {
		status.LimitedBy = &limit
	}
	return status
}

// limitedBy names the limit that binds most: a pause allows nothing, and
// while the load is held back a ramp is not the reason.
func limitedBy(point Point, live Limit) Limit {
	switch {
	case point.Paused:
		return ByPause
	case live != Unlimited:
		return live
	case point.Ramping():
		return ByRamp
	}
	return Unlimited
}
