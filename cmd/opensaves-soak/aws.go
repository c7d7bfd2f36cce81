package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox"
)

// homeRegion is the region of the built-in prices.
const homeRegion = "us-east-1"

// newPrices returns the prices that hold until AWS tells others.
func (c Config) newPrices() *cost.Prices {
	region := c.CloudWatch.Region
	if region == "" {
		region = homeRegion
	}
	return cost.NewPrices(region, c.Cost.Prices)
}

// newExporter makes what asks AWS, or the sandbox behind an address.
func (c Config) newExporter(ctx context.Context, address string, prices *cost.Prices, o cloudwatch.Options) (*cloudwatch.Exporter, error) {
	o.Config = c.CloudWatch
	o.Connect.Region, o.Connect.RoleARN, o.Connect.ExternalID = c.CloudWatch.Region, c.CloudWatch.RoleARN, c.CloudWatch.ExternalID
	if c.CloudWatch.Sandbox {
		o.Connect.Sandbox = "http://" + strings.TrimPrefix(address, "http://") + sandbox.AWSPath // gRPC's has no scheme
	}
	o.Price = prices.RequestedMetric
	exporter, err := cloudwatch.New(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("%w: preparing calls of AWS: %w", errUsage, err)
	}
	return exporter, nil
}

// awsWatch polls AWS, reads prices and reckons costs, with metrics of its own.
type awsWatch struct {
	registry *prometheus.Registry
	exporter *cloudwatch.Exporter
	meter    *cost.Meter
}

// watchAWS adds what watches AWS, if that is configured. Of a fleet only the leader
// does: each time in office is a new watch, so that others show none of it.
func (d *daemon) watchAWS(ctx context.Context, group *run.Group, address string) error {
	if !d.config.CloudWatch.Enabled() {
		return nil
	}
	c, ceiling := d.config, cloudwatch.NewCeiling(d.config.CloudWatch.MaxUSDPerHour, d.prices.RequestedMetric)
	make := func() (awsWatch, error) { return d.newWatch(ctx, c, cloudwatch.Options{Ceiling: ceiling}, address) }
	if _, err := make(); err != nil { // fails now rather than in office
		return err
	}
	if path := d.config.Storage.Path; path != "" {
		if err := d.prices.Keep(path, time.Now()); err != nil {
			d.log.Warn("Prices of an earlier process are lost", "component", "cost", "err", err)
		}
	}
	lead := func(ctx context.Context, do func(context.Context)) { do(ctx) }
	if d.fleet != nil {
		lead = d.fleet.Lead
	}
	group.Add(actor(ctx, endless(func(ctx context.Context) {
		lead(ctx, func(ctx context.Context) {
			if w, err := make(); err == nil {
				d.watch(ctx, w, c.Cost.LivePrices)
			} else {
				d.log.Error("AWS cannot be watched", "err", err)
			}
		})
	})))
	return nil
}

func (d *daemon) newWatch(ctx context.Context, c Config, o cloudwatch.Options, address string) (w awsWatch, err error) {
	w.registry = prometheus.NewRegistry()
	o.Metrics, o.Log = metric.Factory{Registerer: w.registry, NoClassic: !d.run.classicHistogram}, d.log
	if w.exporter, err = c.newExporter(ctx, address, d.prices, o); err != nil {
		return w, err
	}
	w.meter = cost.NewMeter(cost.MeterOptions{
		Config: c.Cost, Prices: d.prices, Measure: w.exporter.Measure, Log: d.log.With("component", "cost"), Counts: d.counts,
	})
	return w, errors.Join(w.registry.Register(d.prices), w.registry.Register(w.meter))
}

// watch watches until ctx ends, and shows its metrics meanwhile.
func (d *daemon) watch(ctx context.Context, w awsWatch, livePrices bool) {
	d.aws.show(w.registry)
	defer d.aws.show(nil)
	var parts sync.WaitGroup
	parts.Go(func() { w.exporter.Run(ctx) })
	parts.Go(func() { w.meter.Run(ctx) })
	if livePrices {
		parts.Go(func() { d.prices.Run(ctx, w.exporter.Calls().GetProducts, d.log.With("component", "cost")) })
	}
	parts.Wait()
}

// counts is what the whole fleet has done.
func (d *daemon) counts() cost.Own {
	work := d.runner.Work()
	if d.fleet != nil {
		work = work.Add(d.fleet.Others().Counts)
	}
	return cost.Own(work)
}

// passing is a registry that is there at times.
type passing struct {
	registry atomic.Pointer[prometheus.Registry]
}

func (s *passing) show(r *prometheus.Registry) { s.registry.Store(r) }

// Gather gathers from the registry that is there.
func (s *passing) Gather() ([]*dto.MetricFamily, error) {
	if r := s.registry.Load(); r != nil {
		return r.Gather()
	}
	return nil, nil
}

// endless makes an error of nothing of what runs until its context ends.
func endless(do func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		do(ctx)
		return nil
	}
}

// tryAWS makes every call that a configuration needs once, and says which
// permissions are missing.
func (c *command) tryAWS(ctx context.Context, config Config) error {
	if config.CloudWatch.Region == "" || config.CloudWatch.Sandbox {
		return fmt.Errorf("%w: --aws: got cloudwatch.sandbox or no cloudwatch.region, want the region of an account", errUsage)
	}
	exporter, err := config.newExporter(ctx, "", config.newPrices(), cloudwatch.Options{
		Metrics: metric.Factory{Registerer: prometheus.NewRegistry()}, Log: c.log,
	})
	if err != nil {
		return err
	}
	var denied []string
	exporter.Try(ctx, config.Cost.LivePrices, func(p cloudwatch.Permission) {
		fmt.Fprintln(c.stdout, p)
		if p.Err != nil {
			denied = append(denied, p.Action)
		}
	})
	denied = slices.Compact(denied)
	if len(denied) > 0 {
		return fmt.Errorf("trying AWS: got no answer to %s, want all granted", strings.Join(denied, ", "))
	}
	return nil
}
