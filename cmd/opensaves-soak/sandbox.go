package main

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/oklog/run"

	"opensaves-soak/exporter"
	"opensaves-soak/opensaves/sandbox"
)

// runSandbox serves a sandbox alone, until a signal.
func (c *command) runSandbox(ctx context.Context) error {
	listeners, err := exporter.Listen(ctx, c.web)
	if err != nil {
		return err
	}
	guard := exporter.Guard(c.tokenFile, c.log.With("component", "web"))
	seed := rand.Uint64() // told, so that its faults can be drawn again
	server := sandbox.New(sandbox.Config{Seed: seed, Guard: guard, Region: homeRegion})
	var group run.Group
	group.Add(signals(ctx))
	for _, listener := range listeners {
		c.log.Info("Serving Open Saves: REST, gRPC, the control API, and AWS below /aws", "address", listener.Addr(), "seed", seed)
		group.Add(actor(ctx, func(ctx context.Context) error { return server.Serve(ctx, listener) }))
	}
	if err := group.Run(); !errors.Is(err, run.ErrSignal) {
		return err
	}
	return nil
}
