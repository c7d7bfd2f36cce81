package cloudwatch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// silence is how long a pod or node that ended has said nothing.
const silence = 10 * time.Minute

// members are the pods and nodes of some queries, by name.
type members map[string]*member

type member struct {
	pod     bool
	newest  time.Time // start of the newest minute that has a value; zero: none
	settled time.Time // end of the newest that was answered; zero: none
	first   time.Time // the first such end
	again   bool      // ask it once more, however long it has been silent
}

func (p *poller) members(queries []*query) members {
	all := members{}
	for _, q := range queries {
		if !q.row.detail.comesAndGoes() {
			continue
		}
		m, s := all[q.member()], p.series[q.key()]
		if m == nil {
			m = &member{pod: q.row.detail == pods}
			all[q.member()] = m
		}
		m.newest, m.settled, m.first = latest(m.newest, s.newest), latest(m.settled, s.settled), latest(m.first, s.first)
		m.again = m.again || q.row.probe && s.retry
	}
	return all
}

// lives says whether the member reports, and waits whether it may yet begin to, by
// what AWS has answered: an outage of AWS ends nobody.
func (m *member) lives() bool { return !m.newest.IsZero() && m.settled.Sub(m.newest) <= silence }
func (m *member) waits() bool { return m.newest.IsZero() && m.settled.Sub(m.first) <= silence }

// awake leaves out pods and nodes that have ended, since CloudWatch lists them for
// three hours more, and pods beyond the limit. Of those that have not reported yet,
// and now and then of those that ended, since a name may come back, it leaves one
// query each: most of them never report again.
func (p *poller) awake(queries []*query, asking bool) []*query {
	all := p.members(queries)
	pods := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(all[b].newest.Compare(all[a].newest), strings.Compare(a, b))
	})
	pods = slices.DeleteFunc(pods, func(name string) bool { return !all[name].pod || !all[name].lives() })
	for _, name := range pods[min(len(pods), p.config.MaxPods):] {
		delete(all, name)
	}
	return slices.DeleteFunc(queries, func(q *query) bool {
		if !q.row.detail.comesAndGoes() {
			return false
		}
		m := all[q.member()]
		if m == nil || m.lives() {
			return m == nil
		}
		try := m.waits() || asking && m.again
		return !q.row.probe || !try
	})
}
