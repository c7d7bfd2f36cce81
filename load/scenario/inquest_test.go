package scenario

import (
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
)

func TestAnAnswerThatCannotBeJudgedIsNoSighting(t *testing.T) {
	w := newTestWorld(t, metric.GRPC, Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.5})
	w.OnViolation = func(v Violation) { t.Errorf("got %s of %s, want none", v.Kind, v.Key) }
	task := NewTask(1, 2)
	for range 50 {
		arrive(w, task, Draw{Op: metric.CreateRecord}, time.Minute, nil)
	}
	suspect := w.records.From(0, anyObject)
	task.reset(Draw{Op: metric.GetRecord})
	task.sent = time.Hour
	w.suspect(task, suspect, metric.Ping, time.Minute)
	calls := 0
	for now := time.Hour; now < time.Hour+5*time.Minute; now += time.Second {
		if task.reset(Draw{}); !w.Overdue(task, now) || task.Op != metric.GetRecords {
			continue
		}
		for _, o := range task.asked {
			status := metric.OK
			if o == suspect {
				status = metric.Unavailable
			}
			task.Answer.Statuses = append(task.Answer.Statuses, status)
			task.Answer.Records = append(task.Answer.Records, w.forged(o, 1))
		}
		task.Answer.Connection = []string{"a", "b"}[calls%2]
		calls++
		w.Settle(task, nil, now)
	}
	if calls < 10 {
		t.Errorf("got %d calls, want the suspicion to be looked into", calls)
	}
}
