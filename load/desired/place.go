package desired

import "time"

// Place is what a replica may send of the fleet's load.
type Place struct {
	Share float64   // of the rate, 0 to 1
	Index int       // from 0
	Count int       // of replicas
	Until time.Time // nothing may be sent from then on; zero: for good
}

// Alone is the place of a process that shares with nobody.
func Alone() Place { return Place{Share: 1, Count: 1} }

// At is the share at an instant.
func (p Place) At(now time.Time) float64 {
	if !p.Until.IsZero() && !now.Before(p.Until) {
		return 0
	}
	return p.Share
}

// Held says that the replica may send less than its equal part.
func (p Place) Held(now time.Time) bool { return p.At(now)*float64(p.Count) < 1-1e-9 }

// Report is what a replica tells the others of itself.
type Report struct {
	AchievedRPS float64            `json:"achieved_rps"` // requests a second that were answered
	Counts      map[string]float64 `json:"counts"`       // counters by name, since its process began
	Records     []string           `json:"records"`      // that others may read: store/key/version, the version at least
}
