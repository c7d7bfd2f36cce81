package load

import (
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/pace"
	"opensaves-soak/load/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func stages(t *testing.T, text string) (list []desired.Stage) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// held is a pacer whose clock the test moves, and what it did.
type held struct {
	pacer
	clock   time.Duration
	sent    []time.Duration // how late each was
	dropped map[metric.DropReason]int
}

func newHeld(rate float64, capacity int64) *held {
	h := &held{dropped: map[metric.DropReason]int{}}
	var inFlight int64
	h.pacer = pacer{
		schedule: pace.New(1, nil), plan: plan{late: tooLate, until: pace.Never}, rand: rand.New(rand.NewPCG(1, 1)),
		now:      func() time.Duration { return h.clock },
		draw:     func(*rand.Rand) scenario.Draw { return scenario.Draw{Op: metric.Ping} },
		capacity: func() int64 { return capacity },
		inFlight: func(delta int64) int64 { inFlight += delta; return inFlight },
		start:    func(_ scenario.Draw, due time.Duration) { h.sent = append(h.sent, h.clock-due) },
		drop:     func(_ scenario.Draw, reason metric.DropReason) { h.dropped[reason]++ },
	}
	h.schedule.Change(0, []pace.Segment{{From: rate, To: rate}}, false)
	return h
}

// follow lets the pacer work until an instant, waking when it asks to.
func (h *held) follow(until time.Duration) {
	for h.clock <= until {
		h.clock += max(h.release(), time.Microsecond)
	}
}

func TestAfterAStallOverdueArrivalsComeAtTwiceTheRateAndOldOnesAreDropped(t *testing.T) {
	h := newHeld(1000, 1<<40)
	h.follow(time.Second)
	before := len(h.sent)
	h.clock = 3 * time.Second // nothing ran for two seconds
	h.follow(3500 * time.Millisecond)
	if got := h.dropped[metric.Stall]; got < 990 || got > 1010 {
		t.Errorf("dropped as stall: got %d, want the 1000 that were over a second late", got)
	}
	if got := len(h.sent) - before; got < 990 || got > 1020 {
		t.Errorf("sent in the half second after: got %d, want 1000, twice the rate", got)
	}
	h.follow(6 * time.Second)
	if late := h.sent[len(h.sent)-1]; late > 2*time.Microsecond {
		t.Errorf("three seconds later: got %v behind, want nothing", late)
	}
}

func TestNoMoreAreInFlightThanMayBe(t *testing.T) {
	h := newHeld(1000, 50)
	h.follow(time.Second)
	if len(h.sent) != 50 || h.dropped[metric.MaxInFlight] != 950 {
		t.Errorf("got %d sent and %d dropped, want 50 and 950", len(h.sent), h.dropped[metric.MaxInFlight])
	}
}

func TestWhatIsDueAtTheEndIsDroppedAsShutdown(t *testing.T) {
	h := newHeld(1000, 50)
	h.clock = 10*time.Millisecond + 1
	h.drain()
	if got := h.dropped[metric.Shutdown]; got != 10 {
		t.Errorf("dropped as shutdown: got %d, want 10", got)
	}
}
