package load

import (
	"slices"
	"sync"

	"opensaves-soak/load/desired"
)

// keptChanges is how many changes of the load are remembered.
const keptChanges = 200

// changes are the last changes of the load.
type changes struct {
	mu   sync.Mutex
	last []desired.Change // the oldest first
}

func (c *changes) add(change desired.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.last) == keptChanges {
		c.last = slices.Delete(c.last, 0, 1)
	}
	c.last = append(c.last, change)
}

// Changes returns the last changes of the load, at most 200, the newest first.
// Where a guard tripped, To is what it lets through and Reason what it guards
// against.
func (r *Runner) Changes() []desired.Change {
	r.recent.mu.Lock()
	defer r.recent.mu.Unlock()
	list := slices.Clone(r.recent.last)
	slices.Reverse(list)
	return list
}

// note counts a change and remembers it.
func (r *Runner) note(c desired.Change) {
	r.metrics.gauges.changes.WithLabelValues(string(c.Source)).Inc()
	r.recent.add(c)
}
