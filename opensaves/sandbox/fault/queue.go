package fault

import (
	"context"
	"sync/atomic"
	"time"
)

// queue is a server with a fixed service time as a clock of virtual work: free
// is when all that was accepted so far is done. Waiting times are those of
// M/D/1 when arrivals are Poisson's.
type queue struct {
	service time.Duration
	free    atomic.Int64 // since the plan's start
}

// wait returns when the request is served. Who gives up before gives the
// service time back, so that a backlog never exceeds what callers wait for.
func (q *queue) wait(ctx context.Context, now time.Duration) error {
	err := sleep(ctx, q.accept(now)-now)
	if err != nil {
		q.free.Add(-int64(q.service))
	}
	return err
}

// accept returns when a request that arrives now is done.
func (q *queue) accept(now time.Duration) time.Duration {
	for {
		free := q.free.Load()
		done := max(free, int64(now)) + int64(q.service)
		if q.free.CompareAndSwap(free, done) {
			return time.Duration(done)
		}
	}
}
