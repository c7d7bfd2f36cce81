package main

import (
	"time"

	"github.com/alecthomas/kingpin/v2"

	"opensaves-soak/load/scenario"
)

// runFlags are the flags of run.
type runFlags struct {
	configFile       string
	address          string
	protocol         string
	rps              float64
	rpsSet           bool
	duration         time.Duration
	summary          string
	classicHistogram bool
	reloadInterval   time.Duration
	externalURL      string
	routePrefix      string
	fleet            fleetFlags
	capacity         capacityFlags
}

func (f *runFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("config.file", "Configuration file; empty: the defaults.").StringVar(&f.configFile)
	cmd.Flag("config.reload-interval", "How often to look whether the configuration file has changed, and reload it then; 0: only when told to.").Default("0s").DurationVar(&f.reloadInterval)
	cmd.Flag("target.address", "Overrides target.address of the file: http(s)://host:port (REST) or host:port (gRPC).").StringVar(&f.address)
	cmd.Flag("target.protocol", "Overrides target.protocol of the file: http or grpc.").StringVar(&f.protocol)
	cmd.Flag("load.rps", "Overrides load.rps of the file, requests a second.").IsSetByUser(&f.rpsSet).Float64Var(&f.rps)
	cmd.Flag("duration", "Run for so long once the working set is warm, print a summary, and exit 1 if an answer was wrong or an objective missed; 0: for ever.").DurationVar(&f.duration)
	cmd.Flag("summary.output", "File for the summary of --duration or --find-capacity: JSON, or JUnit where it ends in .xml.").StringVar(&f.summary)
	cmd.Flag("metrics.classic-histograms", "Expose histograms in classic form beside the native one.").Default("true").BoolVar(&f.classicHistogram)
	cmd.Flag("web.external-url", "URL under which clients reach the daemon, for example through a proxy, or its path alone.").StringVar(&f.externalURL)
	cmd.Flag("web.route-prefix", "Prefix of all paths but those of --web.probe-address; empty: the path of --web.external-url.").StringVar(&f.routePrefix)
	f.fleet.declare(cmd)
	f.capacity.declare(cmd)
}

// ends says whether the run comes to an end by itself, with a summary.
func (f *runFlags) ends() bool { return f.duration > 0 || f.capacity.on }

// over puts the flags over a configuration.
func (f *runFlags) over(c *Config) {
	if f.address != "" {
		c.Target.Address = f.address
	}
	if f.protocol != "" {
		c.Target.Protocol = f.protocol
	}
	if f.rpsSet {
		c.Load.RPS = f.rps
	}
	if f.capacity.on && c.Data.Cleanup == scenario.Auto {
		c.Data.Cleanup = "true" // as with --duration
	}
}

// lockedShare is the share of a configuration's mix that takes the lock of an
// existing record.
func lockedShare(c Config) float64 {
	return scenario.NewMix(scenario.Want{
		Scenarios: c.Load.Scenarios, Operations: c.Load.Operations, ReadRatio: c.Load.ReadRatio,
	}, c.Target.Wire(), c.Data.BlobSizes).Locked()
}
