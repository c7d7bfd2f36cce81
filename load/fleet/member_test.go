package fleet

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestAllIsSentAgainSoonAfterAReplicaJoinsLeavesOrDies(t *testing.T) {
	for seed := range uint64(20) {
		simulate(t, seed, func(f *fleetOf) {
			first := f.join()
			f.until(2 * time.Second)
			second := f.join()
			f.run(time.Second)
			f.until(time.Second)
			third := f.join()
			f.run(time.Second)
			f.until(time.Second)
			for _, r := range []*replica{first, second, third} {
				if got := r.place.Count; got != 3 {
					t.Fatalf("%s: got a place among %d, want 3", r.name, got)
				}
			}
			second.stop()
			f.until(2 * time.Second)
			first.set(func(r *replica) { r.dead = true })
			if took := f.until(16 * time.Second); took < 5*time.Second {
				t.Fatalf("got the share of a dead replica after %s, want it when it surely sends nothing", took)
			}
		})
	}
}

func TestAReplicaThatWasStoppedSendsNothingThatOthersTookOver(t *testing.T) {
	for seed := range uint64(20) {
		simulate(t, seed, func(f *fleetOf) {
			a, b := f.join(), f.join()
			f.run(3 * time.Second)
			f.until(time.Second)
			for _, stopped := range []time.Duration{3, 9, 14, 16, 20, 31} {
				b.freeze()
				f.run(stopped * time.Second)
				b.thaw()
				f.run(20 * time.Second)
				f.until(time.Second)
			}
			b.stop() // one that is alone may be stopped as well
			f.run(3 * time.Second)
			a.freeze()
			f.join()
			f.run(20 * time.Second)
			a.thaw()
			f.run(5 * time.Second)
			f.until(time.Second)
		})
	}
}

func TestAProcessWaitsUntilAnotherOfItsNameSurelySendsNothing(t *testing.T) {
	for seed := range uint64(10) {
		simulate(t, seed, func(f *fleetOf) {
			cut, other := f.join(), f.join()
			f.run(3 * time.Second)
			f.until(time.Second)
			cut.set(func(r *replica) { r.cut = true }) // its node
			f.run(time.Second)
			again := f.start(cut.name)
			f.run(20 * time.Second)
			f.until(2 * time.Second)
			if a, b := again.sends(), other.sends(); a != 0.5 || b != 0.5 {
				t.Fatalf("got %v and %v, want a half each", a, b)
			}
			cut.set(func(r *replica) { r.cut = false }) // it is back, and finds its name taken
			f.run(20 * time.Second)
			f.until(2 * time.Second)
		})
	}
}

func TestALeaseThatSomebodyDeletedGivesItsShareToNobodyYet(t *testing.T) {
	for seed := range uint64(10) {
		simulate(t, seed, func(f *fleetOf) {
			a, b := f.join(), f.join()
			f.run(3 * time.Second)
			f.until(time.Second)
			f.office.mu.Lock()
			delete(f.office.leases, a.name)
			f.office.mu.Unlock()
			f.run(3 * time.Second)
			f.until(time.Second)
			if got := b.sends(); got != 0.5 {
				t.Fatalf("got %v, want a half", got)
			}
		})
	}
}

func TestManyLeaveAtOnceWithoutALease(t *testing.T) {
	for seed := range uint64(10) {
		simulate(t, seed, func(f *fleetOf) {
			for range 5 {
				f.join()
			}
			f.run(5 * time.Second)
			for _, r := range f.all[1:] {
				r.stop()
			}
			f.until(2 * time.Second)
			f.run(time.Second)
			f.office.mu.Lock()
			defer f.office.mu.Unlock()
			if got := len(f.office.leases); got != 1 {
				t.Fatalf("got %d Leases, want that of the one that stays", got)
			}
		})
	}
}

func TestWithoutAPIServerOnlyALoneReplicaGoesOn(t *testing.T) {
	simulate(t, 1, func(f *fleetOf) {
		f.join()
		f.until(2 * time.Second)
		f.office.outage(true)
		f.run(time.Minute)
		if got := f.sum(); got != 1 {
			t.Errorf("alone: got %v of the rate, want all of it", got)
		}
		f.office.outage(false)
		f.join()
		f.run(10 * time.Second)
		f.until(time.Second)
		f.office.outage(true)
		f.run(5 * time.Second)
		if got := f.sum(); got != 1 {
			t.Errorf("after 5 s: got %v of the rate, want all of it", got)
		}
		f.run(6 * time.Second)
		if got := f.sum(); got != 0 {
			t.Errorf("after 11 s: got %v of the rate, want none", got)
		}
		f.run(20 * time.Second)
		f.office.outage(false)
		f.run(4 * time.Second)
		f.until(time.Second)
	})
}

func TestHeldSharesGoOnWithoutAPIServer(t *testing.T) {
	simulate(t, 1, func(f *fleetOf) {
		a, b := f.join(), f.join()
		a.member.hold, b.member.hold = true, true
		f.run(5 * time.Second)
		f.most = 1.5 // 2 - 1/N of it, while one is believed to be gone
		b.set(func(r *replica) { r.cut = true })
		f.run(time.Minute)
		if got := f.sum(); got != 1.5 {
			t.Errorf("got %v of the rate, want a half that is held and all that was taken over", got)
		}
	})
}

func TestWhateverHappensNoMoreIsSentThanIsWanted(t *testing.T) {
	for seed := range uint64(40) {
		simulate(t, seed, func(f *fleetOf) {
			random := rand.New(rand.NewPCG(seed, 2))
			f.join()
			f.join()
			f.run(5 * time.Second)
			for range 40 {
				f.befall(random)
				f.run(time.Duration(random.ExpFloat64() * float64(4*time.Second)))
			}
			f.office.outage(false)
			for _, r := range f.all {
				r.set(func(r *replica) { r.cut, r.deaf = false, false })
				r.thaw()
			}
			f.join()
			f.run(2*expiring + time.Second) // who was cut off gives the dead their time again
			f.until(2 * time.Second)
		})
	}
}
