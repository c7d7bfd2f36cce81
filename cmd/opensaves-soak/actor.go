package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/oklog/run"
)

// actor makes an actor of what runs until its context ends.
func actor(ctx context.Context, do func(context.Context) error) (execute func() error, interrupt func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	return func() error { return do(ctx) }, func(error) { cancel() }
}

// signals ends the group at the first signal, and leaves the second one to
// the system, which ends the program at once.
func signals(ctx context.Context) (execute func() error, interrupt func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	return func() error {
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(caught)
		select {
		case got := <-caught:
			return &run.SignalError{Signal: got}
		case <-ctx.Done():
			return nil
		}
	}, func(error) { cancel() }
}
