package sandbox

import (
	"slices"
	"time"

	"github.com/google/btree"
)

// index finds a store's records by the values of one attribute, in order of
// their keys.
type index map[string]*btree.BTreeG[*record]

func byKey(a, b *record) bool { return a.key < b.key }

const degree = 16

func (x index) set(value string, r *record) {
	if value == "" {
		return
	}
	tree := x[value]
	if tree == nil {
		tree = btree.NewG(degree, byKey)
		x[value] = tree
	}
	tree.ReplaceOrInsert(r)
}

func (x index) remove(value string, r *record) {
	tree := x[value]
	if tree == nil {
		return
	}
	if tree.Delete(r); tree.Len() == 0 {
		delete(x, value)
	}
}

func (x index) ascend(value string, yield func(*record) bool) {
	if tree := x[value]; tree != nil {
		tree.Ascend(yield)
	}
}

// indexes are all of a store's. Like DynamoDB's they hold versions, not keys:
// while they lag, queries show the version before.
type indexes struct {
	owners, games, tags index
	pending             []change
}

// change is what an index has not seen yet: old gone, new there; either may be nil.
type change struct {
	old, new *record
	due      time.Time
}

func newIndexes() indexes { return indexes{owners: index{}, games: index{}, tags: index{}} }

// see lets the indexes know of a change now, lag before they show it.
func (x *indexes) see(c change, now time.Time, lag time.Duration) {
	if lag == 0 && len(x.pending) == 0 {
		x.apply(c)
		return
	}
	c.due = now.Add(lag)
	x.pending = append(x.pending, c)
	x.settle(now, lag)
}

// settle applies what is due, and everything when there is no lag anymore.
func (x *indexes) settle(now time.Time, lag time.Duration) {
	n := 0
	for n < len(x.pending) && (lag == 0 || !x.pending[n].due.After(now)) {
		x.apply(x.pending[n])
		n++
	}
	if n > 0 {
		x.pending = append(x.pending[:0], x.pending[n:]...)
		clear(x.pending[len(x.pending) : len(x.pending)+n])
	}
}

func (x *indexes) apply(c change) {
	was, is := attributesOf(c.old), attributesOf(c.new)
	x.owners.move(was.owner, is.owner, c)
	x.games.move(was.game, is.game, c)
	for _, tag := range is.tags {
		x.tags.set(tag, c.new)
	}
	for _, tag := range was.tags {
		if !slices.Contains(is.tags, tag) {
			x.tags.remove(tag, c.old)
		}
	}
}

// move enters the new version, and takes the old one out where its value is another.
func (x index) move(was, is string, c change) {
	x.set(is, c.new)
	if was != is && was != "" {
		x.remove(was, c.old)
	}
}

type attributes struct {
	owner, game string
	tags        []string
}

func attributesOf(r *record) attributes {
	if r == nil {
		return attributes{}
	}
	return attributes{r.owner, r.game, r.tags}
}
