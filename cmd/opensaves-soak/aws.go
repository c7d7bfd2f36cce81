package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"

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

// watchAWS adds what polls AWS, reads prices and reckons costs, if that is configured.
func (d *daemon) watchAWS(ctx context.Context, group *run.Group, factory metric.Factory, address string) error {
	if !d.config.CloudWatch.Enabled() {
		return nil
	}
	exporter, err := d.config.newExporter(ctx, address, d.prices, cloudwatch.Options{Metrics: factory, Log: d.log})
	if err != nil {
		return err
	}
	meter := cost.NewMeter(cost.MeterOptions{
		Config: d.config.Cost, Prices: d.prices, Measure: exporter.Measure, Log: d.log.With("component", "cost"),
		Counts: func() cost.Own { return cost.Own(d.runner.Work()) },
	})
	d.registry.MustRegister(d.prices, meter)
	if path := d.config.Storage.Path; path != "" {
		if err := d.prices.Keep(path, time.Now()); err != nil {
			d.log.Warn("Prices of an earlier process are lost", "component", "cost", "err", err)
		}
	}
	group.Add(actor(ctx, exporter.Run))
	group.Add(actor(ctx, endless(meter.Run)))
	if d.config.Cost.LivePrices {
		group.Add(actor(ctx, endless(func(ctx context.Context) {
			d.prices.Run(ctx, exporter.Calls().GetProducts, d.log.With("component", "cost"))
		})))
	}
	return nil
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
