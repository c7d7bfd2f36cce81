package main

import (
	"context"
	"time"
)

// finite ends the run when it has lasted --duration since the working set was
// warm.
func (d *daemon) finite(ctx context.Context) error {
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	var end <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-end:
			return nil
		case <-beat.C:
			if end == nil && d.runner.WarmedUp() {
				end = time.After(d.run.duration)
			}
		}
	}
}
