package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/prometheus/common/version"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
	"opensaves-soak/load/scenario"
	"opensaves-soak/load/trace"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc"
	"opensaves-soak/opensaves/rest"
	"opensaves-soak/opensaves/sandbox"
)

// target returns where the load goes. Without a configured target that is a
// sandbox in this process, which stop ends.
func (d *daemon) target(ctx context.Context) (target opensaves.Config, stop func(), err error) {
	target = d.config.Target
	if !d.config.Embedded() {
		return target, func() {}, nil
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return target, nil, fmt.Errorf("listening for the embedded sandbox: %w", err)
	}
	target.Address = listener.Addr().String()
	if target.Wire() == metric.HTTP {
		target.Address = "http://" + target.Address
	}
	settings := sandbox.Config{Backend: sandbox.Backend(target.Backend)}
	if d.config.CloudWatch.Sandbox {
		settings.Region = d.config.CloudWatch.Region
	}
	d.sandbox = sandbox.New(settings)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the load
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := d.sandbox.Serve(ctx, listener); err != nil {
			d.log.Error("The embedded sandbox has ended", "err", err)
		}
	}()
	d.log.Warn("No target is configured: testing an embedded sandbox", "address", target.Address)
	return target, func() { cancel(); <-served }, nil
}

// errTarget marks a target that cannot be tested as it is configured.
var errTarget = errors.New("no usable target")

// connect returns a client of a target in its language, once the target has
// answered a first call.
func connect(ctx context.Context, target opensaves.Config) func(opensaves.Options) (opensaves.Client, error) {
	dial := func(o opensaves.Options) (opensaves.Client, error) { return grpc.New(target, o) }
	if target.Wire() == metric.HTTP {
		dial = func(o opensaves.Options) (opensaves.Client, error) { return rest.New(target, o) }
	}
	return func(o opensaves.Options) (opensaves.Client, error) {
		client, err := dial(o)
		if err != nil {
			return nil, err
		}
		if err := opensaves.Probe(ctx, target, client); err != nil {
			return nil, errors.Join(fmt.Errorf("%w: %w", errTarget, err), client.Close())
		}
		return client, nil
	}
}

// openLedger opens the ledger on disk; nil: it is in memory.
func (d *daemon) openLedger() (*store.Store, error) {
	if d.config.Storage.Path == "" {
		return nil, nil
	}
	kept, err := store.Open(d.config.Storage.Path, store.Identity{Run: ledger.NewIdentity().Run, Target: d.config.Target.Address})
	if err != nil {
		return nil, fmt.Errorf("storage.path: %w", err)
	}
	return kept, nil
}

// newTracer makes the traces of requests to a target; nil: there are none.
func (d *daemon) newTracer(target opensaves.Config, factory metric.Factory) (*trace.Tracer, error) {
	if d.config.Tracing.Endpoint == "" {
		return nil, nil
	}
	return trace.New(trace.Options{
		Config: d.config.Tracing, Target: target, Version: version.Version, Metrics: factory, Log: d.log.With("component", "tracing"),
	})
}

// cleansUp says whether our data is deleted when we end.
func (d *daemon) cleansUp() bool {
	switch d.config.Data.Cleanup {
	case "true":
		return true
	case scenario.Auto:
		return d.run.duration > 0 || d.config.Storage.Path == ""
	}
	return false
}

// options are what the load is made of.
func (d *daemon) options(ctx context.Context, target opensaves.Config, factory metric.Factory, kept *store.Store, tracer *trace.Tracer) load.Options {
	c, identity := d.config, ledger.NewIdentity()
	if kept != nil {
		identity.Run, identity.Epoch = kept.Identity().Run, kept.Identity().Epoch
	}
	o := load.Options{
		Identity: identity, Register: !c.Embedded(), Cleanup: d.cleansUp(), Store: kept, Config: c.Load, Safety: c.Safety, Data: c.Data,
		Protocol: target.Wire(), Embedded: c.Embedded(),
		Slowest: max(time.Duration(target.Timeout), time.Duration(target.BlobTimeout)),
		Connect: connect(ctx, target),
		World: func(mix *scenario.Mix, tell func(scenario.Violation)) (*scenario.World, error) {
			return scenario.NewWorld(scenario.Config{
				Data: c.Data, Verify: c.Verify, Protocol: target.Wire(), Backend: target.Backend, Identity: identity, Store: kept, OnViolation: tell, Shared: d.fleet != nil,
			}, mix)
		},
		Price:   d.prices.Operation,
		Trace:   tracer,
		Metrics: factory,
		Log:     d.log.With("component", "load"),
	}
	if d.fleet != nil {
		o.Fleet = d.fleet
	}
	return o
}
