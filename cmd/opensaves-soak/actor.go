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

// awaited makes an actor that the actors after it are not ended before: it needs them
// for its own end.
func awaited(ctx context.Context, do func(context.Context) error) (execute func() error, interrupt func(error)) {
	ended := make(chan struct{})
	execute, cancel := actor(ctx, func(ctx context.Context) error {
		defer close(ended)
		return do(ctx)
	})
	return execute, func(err error) {
		cancel(err)
		<-ended
	}
}

// signals ends the group at the first signal, and leaves the second one to
// the system, which ends the program at once.
func signals(ctx context.Context) (execute func() error, interrupt func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	caught := catch(ctx, os.Interrupt, syscall.SIGTERM)
	return func() error {
		select {
		case got := <-caught:
			return &run.SignalError{Signal: got}
		case <-ctx.Done():
			return nil
		}
	}, func(error) { cancel() }
}

// catch takes signals from now on until ctx ends. Whoever says that the program is
// ready must have caught them before, as the system ends it at those that are not.
func catch(ctx context.Context, signals ...os.Signal) <-chan os.Signal {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, signals...)
	context.AfterFunc(ctx, func() { signal.Stop(caught) })
	return caught
}
