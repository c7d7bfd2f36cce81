package fleet

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"opensaves-soak/load/desired"
)

const (
	// renewing is how often a member shows that it lives.
	renewing = 5 * time.Second
	// keeping is how long a member may send after it sent the last renewal that succeeded.
	keeping = 10 * time.Second
	// expiring is how long a Lease must stay the same, by the clock of who looks,
	// until its member counts as gone.
	expiring = 15 * time.Second
	// forgetting is how long it must stay the same until somebody deletes it.
	forgetting = 10 * time.Minute
)

// schema is the version of views. Later ones may add fields, and Members stays
// what it is: versions that follow each other share a fleet.
const schema = 1

// view is what a member saw of the fleet and keeps to, as its Lease carries it.
type view struct {
	Schema  int            `json:"schema"`
	Members []string       `json:"members"` // sorted
	Load    string         `json:"load"`    // version of the document that it follows
	Report  desired.Report `json:"report"`
	Left    bool           `json:"left,omitempty"` // the member sends nothing any more
}

// lease is a member's Lease. One whose view cannot be read gives nobody a share.
type lease struct {
	name    string // of the member
	holder  string // of its process
	version string
	view    view
}

// peer is what is known of another member.
type peer struct {
	lease
	changed time.Time // when it was first seen as it is
}

// roster is what one member knows of the others. It is arithmetic: the caller
// says what was seen and when.
type roster struct {
	me    string
	mine  func(lease) bool // whether a Lease of our name is of this process, or of one that is certainly over
	peers map[string]*peer
	saw   time.Time          // when a list was last taken in
	ours  string             // version of the Lease of our name then; empty: there was none
	own   []string           // the members of the view that we published last; nil: none yet
	total map[string]float64 // what others counted while we looked
}

func newRoster(me string, mine func(lease) bool) *roster {
	return &roster{me: me, mine: mine, peers: map[string]*peer{}, total: map[string]float64{}}
}

// see takes what a list of all Leases shows. A Lease that is gone, though its member
// did not say that it leaves, was deleted by somebody else: it counts until it
// would have expired. While we reached no API server others may have reached none
// either, and one of them that is alone goes on sending: what is to expire must
// stay the same for as long again.
func (r *roster) see(leases []lease, now time.Time) {
	if now.Sub(r.saw) > keeping {
		for _, p := range r.living(r.saw) { // who was gone before stays so
			p.changed = now
		}
	}
	r.saw, r.ours = now, ""
	listed := map[string]bool{}
	for _, l := range leases {
		listed[l.name] = true
		if r.note(l, now); l.name == r.me {
			r.ours = l.version
		}
	}
	maps.DeleteFunc(r.peers, func(name string, p *peer) bool { return !listed[name] && !p.living(now) })
}

// note takes in one Lease, and says whether it shows others than were known.
func (r *roster) note(l lease, now time.Time) (news bool) {
	p := r.peers[l.name]
	if l.name == r.me && r.mine(l) {
		delete(r.peers, r.me)
		return false
	}
	if p != nil && !newer(l.version, p.version) {
		return false
	}
	r.count(p, l)
	r.peers[l.name] = &peer{lease: l, changed: now}
	return p == nil || p.view.Left != l.view.Left || !slices.Equal(p.view.Members, l.view.Members)
}

// newer compares the versions of a Lease: lists and watches may overtake each other.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}

// count adds what a process has counted since it was last seen.
func (r *roster) count(before *peer, now lease) {
	if before == nil || before.holder != now.holder {
		return
	}
	for name, n := range now.view.Report.Counts {
		r.total[name] += max(0, n-before.view.Report.Counts[name])
	}
}

// living are the peers that must be reckoned with.
func (r *roster) living(now time.Time) []*peer {
	var living []*peer
	for _, p := range r.peers {
		if p.living(now) {
			living = append(living, p)
		}
	}
	return living
}

func (p *peer) living(now time.Time) bool { return !p.view.Left && now.Sub(p.changed) < expiring }

// taken says that another process may be sending under our name.
func (r *roster) taken(now time.Time) bool {
	p := r.peers[r.me]
	return p != nil && p.living(now)
}

// members are those who take part, as far as we know: what we publish next.
func (r *roster) members(now time.Time) []string {
	names := []string{r.me}
	for _, p := range r.living(now) {
		names = append(names, p.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// share is the smallest part of the rate that a view gives us, ours and those of
// the living: nobody sends what another may still be sending.
func (r *roster) share(now time.Time) float64 {
	share := part(r.own, r.me)
	for _, p := range r.living(now) {
		share = min(share, part(p.view.Members, r.me))
	}
	return share
}

// part is what a view gives a member.
func part(members []string, name string) float64 {
	if !slices.Contains(members, name) {
		return 0
	}
	return 1 / float64(len(members))
}

// place is what we may send until an instant.
func (r *roster) place(now, until time.Time) desired.Place {
	return desired.Place{Share: r.share(now), Index: slices.Index(r.own, r.me), Count: len(r.own), Until: until}
}

// alone says that nobody would take our share over.
func (r *roster) alone(now time.Time) bool { return len(r.own) == 1 && len(r.living(now)) == 0 }

// next is when who takes part changes by itself: when the next peer expires, or
// now where we have not published what we know; far away where there is nobody.
func (r *roster) next(now time.Time) time.Time {
	if !slices.Equal(r.own, r.members(now)) {
		return now
	}
	at := now.Add(expiring)
	for _, p := range r.living(now) {
		if end := p.changed.Add(expiring); end.Before(at) {
			at = end
		}
	}
	return at
}

// forgotten are the Leases of members that ended without a word long ago.
func (r *roster) forgotten(now time.Time) []lease {
	var dead []lease
	for _, p := range r.peers {
		if p.name != r.me && now.Sub(p.changed) >= forgetting {
			dead = append(dead, p.lease)
		}
	}
	return dead
}

// others adds up what the living last told of themselves, and what all have
// counted while we looked.
func (r *roster) others(now time.Time) desired.Report {
	sum := desired.Report{Counts: maps.Clone(r.total)}
	for _, p := range r.living(now) {
		sum.AchievedRPS += p.view.Report.AchievedRPS
		sum.Records = append(sum.Records, p.view.Report.Records...)
	}
	return sum
}
