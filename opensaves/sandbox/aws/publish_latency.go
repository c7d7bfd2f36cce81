package aws

import (
	"math"
	"time"
)

// milliseconds is how long calls take.
type milliseconds float64

// spread is how the time of calls is distributed, as shares of them and multiples
// of the usual time: it has the long tail that services have.
var spread = [...]struct{ share, times float64 }{{0.25, 0.8}, {0.3, 1}, {0.3, 1.3}, {0.1, 1.9}, {0.04, 3}, {0.01, 6}}

// wait is how many calls waited, and for how long on average.
type wait struct {
	calls float64
	mean  milliseconds
}

// waited returns what came to a latency in the minute.
func (i *interval) waited(l *latency) (waits []wait, calls float64) {
	for b := range l.calls {
		n, sum := i.grown(&l.calls[b]), i.grown(&l.nanoseconds[b])
		if n > 0 {
			waits = append(waits, wait{n, milliseconds(sum / n / float64(time.Millisecond))})
			calls += n
		}
	}
	return waits, calls
}

// observed returns what CloudWatch observes of calls that usually take that long
// when they need not wait.
func observed(waits []wait, usual milliseconds) []Value {
	var values []Value
	for _, w := range waits {
		share, before := 0.0, 0.0
		for _, s := range spread {
			share += s.share
			upTo := math.Round(share * w.calls) // whole calls, and all of them
			if upTo > before {
				values = append(values, Value{float64(w.mean) + s.times*float64(usual), upTo - before})
			}
			before = upTo
		}
	}
	return values
}
