package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// reloads is what metrics say of reading the configuration file.
type reloads struct {
	mu         *sync.Mutex // one at a time
	successful prometheus.Gauge
	timestamp  prometheus.Gauge
}

func newReloads(f metric.Factory) reloads {
	r := reloads{
		mu:         new(sync.Mutex),
		successful: f.Gauge(metric.ReloadSuccessful).WithLabelValues(),
		timestamp:  f.Gauge(metric.ReloadTimestamp).WithLabelValues(),
	}
	r.note(nil)
	return r
}

func (r reloads) note(err error) {
	if err != nil {
		r.successful.Set(0)
		return
	}
	r.successful.Set(1)
	r.timestamp.SetToCurrentTime()
}

// hangups reloads at each SIGHUP until ctx ends.
func (d *daemon) hangups(ctx context.Context) func(context.Context) error {
	caught := catch(ctx, syscall.SIGHUP)
	return endless(func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-caught:
				if err := d.reload(ctx); err != nil {
					d.log.Error("The configuration was not reloaded; the old one stays in force", "err", err)
				}
			}
		}
	})
}

// follow reloads at its first look, as the file may have changed since the start,
// and whenever it has changed, as a mounted ConfigMap does, until ctx ends. One that
// needs a restart, or is broken, is refused once.
func (d *daemon) follow(ctx context.Context) {
	look := time.NewTicker(d.run.reloadInterval)
	defer look.Stop()
	var seen string
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		text, err := os.ReadFile(d.source.path)
		now := fmt.Sprintf("%s%v", text, err)
		if now == seen {
			continue
		}
		seen = now
		if err := d.reload(ctx); err != nil {
			d.log.Error("The configuration was not reloaded; the old one stays in force", "err", err)
		}
	}
}

// reload reads the configuration file again and puts it in force, or leaves the
// old one in force and says why.
func (d *daemon) reload(context.Context) error {
	d.reloads.mu.Lock()
	defer d.reloads.mu.Unlock()
	err := d.reread()
	d.reloads.note(err)
	return err
}

func (d *daemon) reread() error {
	next, err := d.source.load()
	if err != nil {
		return err
	}
	if keys := fixed(d.config, next); len(keys) > 0 {
		return fmt.Errorf("%s: got a change that needs a restart, want the value the program was started with", strings.Join(keys, ", "))
	}
	d.config = next
	d.runner.Reload(next.Load)
	d.log.Info("The configuration was reloaded", "file", d.source.path)
	return nil
}

// live are the keys that a reload applies while the load runs.
var live = []string{"load.rps", "load.max_rps", "load.default_ttl", "load.stages", "load.repeat", "load.scenarios", "load.read_ratio"}

// fixed returns the keys in which two configurations differ that only a
// restart can apply.
func fixed(before, after Config) (keys []string) {
	a, b := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range a.NumField() {
		section := a.Type().Field(i).Tag.Get("yaml")
		for j := range a.Field(i).NumField() {
			key := section + "." + a.Field(i).Type().Field(j).Tag.Get("yaml")
			same := reflect.DeepEqual(a.Field(i).Field(j).Interface(), b.Field(i).Field(j).Interface())
			if !same && !slices.Contains(live, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}
