package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/oklog/run"
	"golang.org/x/time/rate"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/leftover"
	"opensaves-soak/opensaves"
)

// cleanupFlags are the flags of cleanup.
type cleanupFlags struct {
	target    runFlags // of which it has the file, address and protocol
	dryRun    bool
	olderThan time.Duration
}

func (f *cleanupFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("config.file", "Configuration file; empty: the defaults.").StringVar(&f.target.configFile)
	cmd.Flag("target.address", "Overrides target.address of the file: http(s)://host:port (REST) or host:port (gRPC).").StringVar(&f.target.address)
	cmd.Flag("target.protocol", "Overrides target.protocol of the file: http or grpc.").StringVar(&f.target.protocol)
	cmd.Flag("dry-run", "Delete and write nothing; say what would be deleted.").BoolVar(&f.dryRun)
	cmd.Flag("older-than", "How long to watch that a run is silent before it counts as dead, longer where the run itself asks for it; 0s: every run is dead, because nothing else runs.").Default("30m").DurationVar(&f.olderThan)
}

// cleanup watches the runs in a target's registry and deletes what the dead ones left.
type cleanup struct {
	*command
	cleanupFlags
	sweeper *leftover.Sweeper
	client  opensaves.Client
	seen    map[string]leftover.Status // by run and replica
}

// runCleanup ends when no run is undecided any more, or by a signal. The error
// says if anything could not be deleted.
func (c *command) runCleanup(ctx context.Context, f cleanupFlags) error {
	if f.olderThan < 0 || f.olderThan > leftover.MaxAfter {
		return fmt.Errorf("%w: --older-than: got %s, want 0s to %s", errUsage, f.olderThan, leftover.MaxAfter)
	}
	config, err := (configSource{path: f.target.configFile, override: f.target.over, locked: lockedShare}).load()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if config.Embedded() {
		return fmt.Errorf("%w: target.address: got none, want the target to clean up", errUsage)
	}
	client, err := connect(ctx, config.Target)(opensaves.Options{MaxInFlight: func() int { return cleanupInFlight }})
	if err != nil {
		return err
	}
	clean := c.newCleanup(f, config, client)
	var group run.Group
	group.Add(signals(ctx))
	group.Add(actor(ctx, clean.run))
	if err = group.Run(); errors.Is(err, run.ErrSignal) {
		c.log.Info("Ended by a signal, before all was decided")
		err = nil
	}
	return errors.Join(clean.conclude(err), client.Close())
}

// cleanupInFlight is how many requests are in flight at the most.
const cleanupInFlight = 16

func (c *command) newCleanup(f cleanupFlags, config Config, client opensaves.Client) *cleanup {
	origin := time.Now()
	pace := rate.NewLimiter(rate.Limit(cmp.Or(config.Load.RPS, DefaultConfig().Load.RPS)), 1)
	sweeper := leftover.NewSweeper(leftover.Options{
		Do: client.Do, Protocol: config.Target.Wire(), Identity: ledger.NewIdentity(), After: f.olderThan,
		Now: func() time.Duration { return time.Since(origin) }, Allow: pace.Wait,
	})
	sweeper.DryRun = f.dryRun
	return &cleanup{command: c, cleanupFlags: f, sweeper: sweeper, client: client, seen: map[string]leftover.Status{}}
}

const (
	maxFailures = 10                     // looks in a row
	minPause    = 100 * time.Millisecond // between looks
	minSweep    = 2 * time.Second        // of deleting, between looks
)

// run looks, and deletes what may be, until every run is decided.
func (c *cleanup) run(ctx context.Context) error {
	every := max(c.olderThan/leftover.Beats, minPause)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for failures := 0; ctx.Err() == nil; {
		err := c.sweeper.Look(ctx)
		switch {
		case opensaves.CodeOf(err) == metric.NotFound && c.unregistered(ctx):
			return nil
		case err != nil:
			if failures++; failures > maxFailures {
				return err
			}
			c.log.Warn("The registry could not be read or written", "err", err, "retry_in", every)
		default:
			failures = 0
			if c.sweep(ctx, max(every, minSweep)) {
				return nil
			}
		}
		if c.olderThan > 0 || err != nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}
	return nil
}

// sweep deletes for a while, and reports whether every run is decided.
func (c *cleanup) sweep(ctx context.Context, length time.Duration) (settled bool) {
	round, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	if err := c.sweeper.Sweep(round); err != nil {
		c.log.Error("Not everything could be deleted", "err", err)
	}
	settled = true
	for _, status := range c.sweeper.Runs() {
		settled = settled && status.Settled()
		key := fmt.Sprintf("%s-%d", status.Run, status.Replica)
		if last, known := c.seen[key]; !known || last.State != status.State {
			c.show(status)
		}
		c.seen[key] = status
	}
	return settled
}

// unregistered says whether the target has no registry for certain: a target
// that fails may also say that it is not found.
func (c *cleanup) unregistered(ctx context.Context) bool {
	var answer opensaves.Answer
	err := c.client.Do(ctx, &opensaves.Call{Op: metric.ListStores}, &answer)
	return err == nil && !slices.ContainsFunc(answer.Stores, func(s opensaves.Store) bool { return s.Key == leftover.Registry })
}

// show prints what is known of a run.
func (c *cleanup) show(s leftover.Status) {
	state := string(s.State)
	if c.dryRun && s.State == leftover.Swept {
		state = string(leftover.Dead)
	}
	fmt.Fprintf(c.stdout, "run %s replica %d: %s%s\n", s.Run, s.Replica, state, c.describe(s.Counts))
}

// describe returns ": 3 store, 100 record deleted; 1 record kept", or nothing.
func (c *cleanup) describe(counts leftover.Counts) string {
	var parts []string
	for _, result := range leftover.Results() {
		var kinds []string
		for _, kind := range leftover.Kinds() {
			if n := counts[kind][result]; n > 0 {
				kinds = append(kinds, fmt.Sprintf("%d %s", n, kind))
			}
		}
		if len(kinds) > 0 {
			parts = append(parts, strings.Join(kinds, ", ")+" "+c.verb(result))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

func (c *cleanup) verb(result leftover.Result) string {
	if c.dryRun && result == leftover.Deleted {
		return "would be deleted"
	}
	return string(result)
}

// conclude prints the summary; its error says, beside err, if anything failed.
func (c *cleanup) conclude(err error) error {
	total := map[leftover.Result]int{}
	states := map[leftover.State]int{}
	for _, status := range c.seen {
		states[status.State]++
		for _, results := range status.Counts {
			for result, n := range results {
				total[result] += n
			}
		}
	}
	fmt.Fprintf(c.stdout, "%d runs, %d of them dead; objects: %d %s, %d kept, %d failed\n",
		len(c.seen), states[leftover.Swept]+states[leftover.Partly]+states[leftover.Dead],
		total[leftover.Deleted], c.verb(leftover.Deleted), total[leftover.Kept], total[leftover.Failed])
	if n := states[leftover.Partly]; n > 0 {
		err = errors.Join(err, fmt.Errorf("cleaning up: got %d runs that could not be deleted whole, want none", n))
	}
	return err
}
