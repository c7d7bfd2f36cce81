package load

import (
	"context"
	"errors"

	"opensaves-soak/exporter/metric"
)

// keep writes the ledger to disk until the function that it returns is called,
// which writes what is left and closes it.
func (r *Runner) keep() (end func() error) {
	if r.Store == nil {
		return func() error { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background()) // it outlives the load
	ended := make(chan error, 1)
	go func() { ended <- r.Store.Run(ctx) }()
	return func() error {
		cancel()
		return errors.Join(<-ended, r.Store.Close())
	}
}

// ledgerMetrics counts what goes wrong with the ledger on disk.
func (r *Runner) ledgerMetrics() {
	failures := r.Metrics.Counter(metric.LedgerErrors).WithLabelValues()
	if r.Store == nil {
		return
	}
	r.Store.OnError = func(err error) {
		failures.Inc()
		r.Log.Error("The ledger cannot be written: writes become reads", "err", err)
	}
	r.Metrics.GaugeFunc(metric.LedgerVolumeUsed, func() float64 {
		used, err := r.Store.Usage()
		if err != nil {
			return 1 // as bad as full
		}
		return used
	})
}
