package scenario

import (
	"context"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// newCounted makes a world that keeps one record, and tells its violations.
func newCounted(t *testing.T) (w *World, record *ledger.Object, told *[]Violation) {
	t.Helper()
	w, told = newTestWorld(t, metric.GRPC, Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.5}), new([]Violation)
	w.OnViolation = func(v Violation) { *told = append(*told, v) }
	arrive(w, NewTask(1, 2), Draw{Op: metric.CreateRecord}, time.Minute, nil)
	return w, w.records.From(0, anyObject), told
}

// increment ends an increment of a record that found old.
func increment(w *World, t *Task, record *ledger.Object, old int64, err error) {
	w.operate(t, record, record.Counter)
	t.Answer.Attempts, t.Answer.Old.Int, t.Answer.Updated = 1, old, true
	w.Settle(t, err, time.Minute)
}

func TestASelfTestOfACounterLeavesNoWrongValueBehind(t *testing.T) {
	w, record, told := newCounted(t)
	task := NewTask(3, 4)
	if !w.inject(task, ledger.NotLinearizable, time.Hour) || !w.provoke(task, w.shadows.list[0], time.Hour) {
		t.Fatal("nothing was injected")
	}
	increment(w, task, record, 0, nil)
	w.reap(time.Hour, func(_ ledger.Kind, result string) {
		if result != Caught {
			t.Errorf("self-test: got %s, want caught", result)
		}
	})
	for old := int64(1); old < 3; old++ {
		task.reset(Draw{Op: metric.AtomicInc})
		task.object = record
		increment(w, task, record, old, nil)
	}
	if len(*told) > 0 {
		t.Errorf("violations of a right counter: got %+v, want none", *told)
	}
}

func TestARecordWhoseCounterIsInDoubtIsDeletedAndNotUsedAgain(t *testing.T) {
	w, record, _ := newCounted(t)
	task := NewTask(3, 4)
	task.reset(Draw{Op: metric.AtomicInc})
	task.object = record
	increment(w, task, record, 0, &opensaves.Error{Op: metric.AtomicInc, Code: metric.DeadlineExceeded})
	var deleted []string
	w.Tend(t.Context(), 10, func() time.Duration { return time.Hour }, func(_ context.Context, call *opensaves.Call, _ *opensaves.Answer) error {
		deleted = append(deleted, call.Op.String()+" "+call.Key)
		return nil
	})
	if want := "delete_record " + record.Key; len(deleted) != 1 || deleted[0] != want {
		t.Errorf("calls: got %v, want %q alone", deleted, want)
	}
}
