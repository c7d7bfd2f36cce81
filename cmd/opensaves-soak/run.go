package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	collectorversion "github.com/prometheus/client_golang/prometheus/collectors/version"
	"golang.org/x/sync/errgroup"

	"opensaves-soak/exporter"
	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load"
	"opensaves-soak/load/fleet"
	"opensaves-soak/opensaves/sandbox"
)

// daemon is the program while it runs.
type daemon struct {
	*command
	config   Config
	source   configSource
	registry *prometheus.Registry
	aws      passing // the metrics of AWS
	reloads  reloads
	runner   *load.Runner
	fleet    *fleet.Fleet // nil: the load is not shared
	prices   *cost.Prices
	sandbox  *sandbox.Sandbox // nil with a target
	finite   *finite          // nil: it runs for ever
	report   *os.File         // for the summary; nil: none
	sampler  *sampler
	prefix   string // of the paths of face
	face     []net.Listener
	probes   []net.Listener
}

// runDaemon runs until a signal, the end of --duration or of a search, or a failure.
func (c *command) runDaemon(ctx context.Context) error {
	d, err := c.newDaemon(ctx)
	if err != nil {
		return err
	}
	return d.live(ctx)
}

// newDaemon reads the configuration and opens what the daemon writes to and
// listens on, so that it fails before it begins.
func (c *command) newDaemon(ctx context.Context) (*daemon, error) {
	d := &daemon{command: c, registry: prometheus.NewRegistry(), source: configSource{
		path: c.run.configFile, override: c.run.over, locked: lockedShare, searches: c.run.capacity.checkStages,
	}}
	if c.run.duration < 0 || c.run.summary != "" && !c.run.ends() {
		return nil, fmt.Errorf("%w: --duration: got %s, want more than 0s with --summary.output", errUsage, c.run.duration)
	}
	if c.run.reloadInterval < 0 || c.run.reloadInterval > 0 && c.run.configFile == "" {
		return nil, fmt.Errorf("%w: --config.reload-interval: got %s, want 0s or more, with --config.file", errUsage, c.run.reloadInterval)
	}
	var err error
	if d.config, err = d.source.load(); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := c.run.capacity.check(c.run.duration, d.config); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if d.prefix, err = exporter.RoutePrefix(c.run.externalURL, c.run.routePrefix); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if d.face, err = exporter.Listen(ctx, c.web); err != nil {
		return nil, err
	}
	if c.probeAddress != "" {
		if d.probes, err = exporter.ListenOn(ctx, c.probeAddress); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	if d.report, err = c.openSummary(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// live builds the parts and runs them to their end.
func (d *daemon) live(ctx context.Context) error {
	var group run.Group
	group.Add(signals(ctx))
	if err := d.build(ctx, &group); err != nil {
		return errors.Join(err, d.close())
	}
	err := group.Run()
	if signaled := new(run.SignalError); errors.As(err, &signaled) {
		d.log.Info("Ended by a signal", "signal", signaled.Signal)
		err = nil
	}
	if err != nil || d.finite == nil {
		return errors.Join(err, d.close())
	}
	return d.conclude()
}

// close closes what newDaemon opened, where nobody else has done so.
func (d *daemon) close() error {
	var errs []error
	for _, listener := range slices.Concat(d.face, d.probes) {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if d.report != nil {
		errs = append(errs, d.report.Close())
	}
	return errors.Join(errs...)
}

// build makes the parts and adds them to the group: first those whose end
// nobody waits for, last the HTTP face, which answers until the load is over.
func (d *daemon) build(ctx context.Context, group *run.Group) (err error) {
	d.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectorversion.NewCollector("opensaves_soak"))
	d.sampler = d.newSampler()
	factory := metric.Factory{Registerer: few{d.registry, d.sampler.sampled}, NoClassic: !d.run.classicHistogram}
	target, stopSandbox, err := d.target(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			stopSandbox()
		}
	}()
	info := factory.Gauge(metric.TargetInfo)
	info.WithLabelValues(d.config.Target.Label(), d.config.Target.Wire().String(), d.config.Target.Backend).Set(1)
	d.reloads = newReloads(factory)
	kept, err := d.openLedger()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && kept != nil {
			err = errors.Join(err, kept.Close())
		}
	}()
	if d.fleet, err = d.newFleet(); err != nil {
		return err
	}
	d.prices = d.config.newPrices()
	tracer, err := d.newTracer(target, factory)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if d.runner, err = load.New(d.options(ctx, target, factory, kept, tracer)); errors.Is(err, errTarget) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	d.sampler.runner = d.runner
	if err := d.watchAWS(ctx, group, target.Address); err != nil {
		return err
	}
	face, err := exporter.New(d.faceOptions())
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	search := d.newSearch()
	look := search.follow
	if d.run.capacity.on {
		look = search.run
	}
	group.Add(awaited(ctx, endless(look))) // only a leader takes its rate away
	if d.fleet != nil {
		group.Add(actor(ctx, d.fleet.Run))
	}
	ended := make(chan struct{}) // the load, with its last request
	group.Add(actor(ctx, func(ctx context.Context) error {
		defer stopSandbox()
		defer close(ended)
		return d.runner.Run(ctx)
	}))
	group.Add(actor(ctx, d.hangups(ctx)))
	if d.run.reloadInterval > 0 {
		group.Add(actor(ctx, endless(d.follow)))
	}
	if d.run.ends() {
		d.finite = d.newFinite()
		group.Add(actor(ctx, d.finite.run))
	}
	if d.run.capacity.on {
		d.finite.search = search
	}
	group.Add(d.serve(ctx, face, ended))
	return nil
}

// faceOptions are what the HTTP face shows and changes.
func (d *daemon) faceOptions() exporter.Options {
	o := exporter.Options{
		Gatherer: prometheus.Gatherers{d.registry, &d.aws}, Ready: d.runner.Ready, Reload: d.reload, Load: d.runner, Live: d.sampler.feed,
		Prefix: d.prefix, ControlTokenFile: d.tokenFile, Logger: d.log.With("component", "web"),
	}
	if d.sandbox != nil {
		o.Sandbox = d.sandbox.Control()
	}
	return o
}

// serve answers until the load has ended, so that the last scrape sees all.
func (d *daemon) serve(ctx context.Context, face http.Handler, ended <-chan struct{}) (execute func() error, interrupt func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	execute = func() error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error {
			d.sampler.run(ctx) // it ends the streams, for which the face would wait
			return nil
		})
		group.Go(func() error {
			return exporter.Serve(ctx, d.face, face, *d.web.WebConfigFile, d.log.With("component", "web"))
		})
		group.Go(func() error {
			return exporter.Serve(ctx, d.probes, exporter.Probes(d.runner.Ready), "", d.log.With("component", "probes"))
		})
		return group.Wait()
	}
	return execute, func(error) {
		<-ended
		cancel()
	}
}
