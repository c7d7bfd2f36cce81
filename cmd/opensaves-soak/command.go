package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
)

// name is what the program is called.
const name = "opensaves-soak"

// Exit statuses.
const (
	exitOK     = 0 // ended as asked, a signal included
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
)

// errUsage marks errors that are the caller's: wrong flags, wrong configuration.
var errUsage = errors.New("wrong usage")

// command is what the flags of one invocation say.
type command struct {
	stdout, stderr io.Writer
	screen         *screen
	log            *slog.Logger
	logConfig      promslog.Config
	web            *web.FlagConfig
	probeAddress   string
	tokenFile      string
	run            runFlags
	checked        string // the file of check-config
	checkAWS       bool
	cleanup        cleanupFlags
	dashboards     dashboardFlags
	alerts         alertFlags
	try            tryFlags
	report         reportFlags
}

// Run does what args say and returns the exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &command{stdout: stdout, stderr: stderr, screen: &screen{stdout: stdout, stderr: stderr}}
	err := c.start(ctx, args)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "%s: %s\n", name, strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		return exitUsage
	}
	fmt.Fprintf(stderr, "%s: %s\n", name, err)
	return exitFailed
}

// start parses args and runs the command that they name.
func (c *command) start(ctx context.Context, args []string) error {
	app, done := c.app()
	chosen, err := app.Parse(args)
	if *done { // help or version was printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w (see %s --help)", errUsage, err, name)
	}
	c.logConfig.Writer = c.screen
	c.log = promslog.New(&c.logConfig)
	switch chosen {
	case "sandbox":
		return c.runSandbox(ctx)
	case "cleanup":
		return c.runCleanup(ctx, c.cleanup)
	case "dashboards":
		return c.runDashboards(ctx, c.dashboards)
	case "alerts":
		return c.writeAlerts(c.alerts)
	case "report":
		return c.writeReport(ctx, c.report)
	case "try":
		return c.tryDaemon(ctx, c.try)
	case "check-config":
		return c.checkConfig(ctx)
	}
	return c.runDaemon(ctx)
}

// app declares commands and flags. Nothing in it exits the program: done tells
// that a flag such as --help has said all.
func (c *command) app() (app *kingpin.Application, done *bool) {
	done = new(bool)
	app = kingpin.New(name, "Continuous soak tester and Prometheus exporter for Open Saves on AWS.")
	app.UsageWriter(c.stdout).ErrorWriter(c.stderr).Terminate(func(int) {
		*done = true // kingpin goes on all the same, and would print the usage once more
		app.UsageWriter(io.Discard).ErrorWriter(io.Discard)
	})
	app.Version(version.Print(name))
	app.HelpFlag.Short('h')
	c.web = kingpinflag.AddFlags(app, ":9842")
	app.Flag("web.probe-address", "Address that answers /-/healthy and /-/ready alone, outside TLS and authentication; empty: none.").StringVar(&c.probeAddress)
	app.Flag("web.control-token-file", "File with the bearer token that calls must carry which change something; empty: only loopback may.").StringVar(&c.tokenFile)
	promslogflag.AddFlags(app, &c.logConfig)

	c.run.declare(app.Command("run", "Send load, check every answer, expose metrics. Without a target, an embedded sandbox is tested."))
	app.Command("sandbox", "Serve an in-memory Open Saves on --web.listen-address: gRPC, REST, faults, and its AWS account below /aws.")
	c.cleanup.declare(app.Command("cleanup", "Delete what dead runs left on the target, after watching that they are silent."))
	c.dashboards.declare(app.Command("dashboards", "Write the Grafana dashboards to a directory, or apply them to a Grafana."))
	c.alerts.declare(app.Command("alerts", "Print alert and recording rules, CloudWatch alarms, or Alertmanager's inhibitions."))
	c.report.declare(app.Command("report", "Read a Prometheus over a time range and write what the load levels in it show."))
	c.try.declare(app.Command("try", "Ask a running daemon whether it is ready, takes a change of the load, and shows metrics: exit 0, or what is wrong."))
	check := app.Command("check-config", "Check a configuration file: exit 0, or every fault with its path in the file.")
	check.Flag("aws", "Try every AWS permission that the file needs, and name the missing ones.").BoolVar(&c.checkAWS)
	check.Arg("FILE", "The configuration file.").Required().StringVar(&c.checked)
	return app, done
}

// checkConfig reads a file and says what is wrong with it.
func (c *command) checkConfig(ctx context.Context) error {
	if c.checked == "" { // as kingpin reads a lone "-"
		return fmt.Errorf("%w: check-config: got no file, want one; /dev/stdin is what a pipe brings", errUsage)
	}
	config, err := (configSource{path: c.checked, locked: lockedShare}).load()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if _, err := fmt.Fprintf(c.stdout, "%s: valid\n", c.checked); err != nil || !c.checkAWS {
		return err
	}
	return c.tryAWS(ctx, config)
}
