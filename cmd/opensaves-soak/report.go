package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/report"
)

// scraped is where a Prometheus has what the tester exports.
type scraped struct{ url, selector string }

func (s *scraped) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("prometheus.url", "Prometheus that scrapes the tester, for reports.").StringVar(&s.url)
	cmd.Flag("selector", "Matchers of the tester's series there.").Default(alerts.DefaultSettings().Selector).StringVar(&s.selector)
}

// connect prepares questions about the tester, and the pods that a configuration names.
func (s *scraped) connect(config Config) (p report.Prometheus, err error) {
	if s.url == "" {
		return p, errors.New("--prometheus.url: got none, want the Prometheus that has scraped the tester")
	}
	client, err := report.NewClient(s.url)
	if err != nil {
		return p, fmt.Errorf("--prometheus.url: %w", err)
	}
	settings := alerts.DefaultSettings()
	settings.Selector, settings.Pods = s.selector, config.pods()
	if err := settings.Validate(); err != nil {
		return p, fmt.Errorf("--selector: %w", err)
	}
	tester, err := parser.NewParser(parser.Options{}).ParseMetricSelector("{" + s.selector + "}")
	if err != nil {
		return p, fmt.Errorf("--selector: %w", err)
	}
	for _, m := range tester {
		if m.Name == "cluster" { // the target's pods are there too
			settings.Pods += "," + m.String()
		}
	}
	return report.NewPrometheus(client, settings), nil
}

// reportFlags are the flags of report.
type reportFlags struct {
	scraped
	start, end string
	configFile string
	output     string
	zone       string
	compare    bool
	a, b       string  // what is compared: JSON files or ranges
	most       float64 // share by which a figure may get worse
	ranged     bool    // --start or --end was given
	limited    bool    // --max-regression was given
}

func (f *reportFlags) declare(cmd *kingpin.CmdClause) {
	f.scraped.declare(cmd)
	cmd.Flag("start", "Begin of the range: RFC 3339, or a time before now such as -6h.").Default("-6h").IsSetByUser(&f.ranged).StringVar(&f.start)
	cmd.Flag("end", "End of the range, likewise; empty: now.").IsSetByUser(&f.ranged).StringVar(&f.end)
	cmd.Flag("config.file", "Configuration file, for its objectives; empty: the defaults.").StringVar(&f.configFile)
	cmd.Flag("output", "File that is written: a page with charts (.html), Markdown (.md) or JSON (.json); -: Markdown on standard output.").Default("-").StringVar(&f.output)
	cmd.Flag("timezone", "Zone of the times in the report: UTC, Local, or a name such as Europe/Berlin.").Default("UTC").StringVar(&f.zone)
	cmd.Flag("compare", "Compare B with A and write what got better or worse beyond noise; exit 1 on a regression.").BoolVar(&f.compare)
	cmd.Flag("max-regression", "With --compare, the share by which a figure may get worse: 0.1 is 10 %.").Default("0.1").IsSetByUser(&f.limited).Float64Var(&f.most)
	cmd.Arg("A", "With --compare, the base: a report's JSON file (.json), or a range START/END of times as --start has them, END empty: now. Before ranges that begin with - comes --.").StringVar(&f.a)
	cmd.Arg("B", "With --compare, what is compared with A, likewise.").StringVar(&f.b)
}

// check refuses flags that do not go together.
func (f *reportFlags) check() error {
	if _, err := formOf(f.output); err != nil && f.output != "-" {
		return fmt.Errorf("%w: --output: %w", errUsage, err)
	}
	switch {
	case f.compare && (f.a == "" || f.b == ""):
		return fmt.Errorf("%w: --compare: got %q and %q, want two JSON files or ranges", errUsage, f.a, f.b)
	case f.compare && f.ranged:
		return fmt.Errorf("%w: --start, --end: got them with --compare, want ranges as its arguments", errUsage)
	case f.compare && strings.HasSuffix(f.output, ".html"):
		return fmt.Errorf("%w: --output: got %s, want a name that ends in .md or .json with --compare", errUsage, f.output)
	case !f.compare && (f.a != "" || f.limited):
		return fmt.Errorf("%w: --max-regression, A, B: got them without --compare", errUsage)
	case !(f.most >= 0) || math.IsInf(f.most, 0):
		return fmt.Errorf("%w: --max-regression: got %v, want a share from 0", errUsage, f.most)
	}
	return nil
}

// writeReport writes what Prometheus shows, or what differs.
func (c *command) writeReport(ctx context.Context, f reportFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	now := time.Now()
	if f.compare {
		return c.compareReports(ctx, f, now)
	}
	q, err := f.question(f.start, f.end, now)
	if err != nil {
		return fmt.Errorf("%w: --start, --end: %w", errUsage, err)
	}
	r, err := c.ask(ctx, f, q)
	if err != nil {
		return err
	}
	return c.save(r, f.output)
}

// question is about a range of times.
func (f *reportFlags) question(start, end string, now time.Time) (q report.Question, err error) {
	if q.Start, err = instant(start, now); err != nil {
		return q, err
	}
	if q.End, err = instant(end, now); err != nil {
		return q, err
	}
	if q.Zone, err = time.LoadLocation(f.zone); err != nil {
		return q, fmt.Errorf("got --timezone=%s, want UTC, Local or a name of the time zone database: %w", f.zone, err)
	}
	if !q.Start.Before(q.End) {
		return q, fmt.Errorf("got a begin at %s, want it before the end, %s", q.Start.Format(time.RFC3339), q.End.Format(time.RFC3339))
	}
	return q, nil
}

// ask makes the report of a range.
func (c *command) ask(ctx context.Context, f reportFlags, q report.Question) (*report.Report, error) {
	config, err := (configSource{path: f.configFile, locked: lockedShare}).load()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	p, err := f.connect(config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return c.makeReport(ctx, p, config, q)
}

// makeReport asks Prometheus, and AWS once more, with the objectives of a configuration.
func (c *command) makeReport(ctx context.Context, p report.Prometheus, config Config, q report.Question) (*report.Report, error) {
	q.Objectives = config.Objectives
	var err error
	if q.AWS, err = c.readAgain(ctx, config, q.Start, q.End); err != nil {
		q.Notes = append(q.Notes, "AWS was not asked once more, so what was scraped counts: "+err.Error()+".")
	}
	return report.Make(ctx, p, q)
}

// pods are the matchers of the target's pods in kube-state-metrics and cAdvisor.
func (c Config) pods() string {
	eks := c.CloudWatch.EKS
	names := make([]string, len(eks.Workloads))
	for i, name := range eks.Workloads {
		if names[i] = regexp.QuoteMeta(name) + "-.*"; name == "*" {
			names[i] = ".*"
		}
	}
	return fmt.Sprintf("namespace=%q,pod=~%q", eks.Namespace, strings.Join(names, "|"))
}

// readAgain reads from AWS what it showed in a time, where access is configured:
// what came late has come meanwhile. An embedded sandbox is no longer there.
func (c *command) readAgain(ctx context.Context, config Config, start, end time.Time) ([]cloudwatch.Series, error) {
	if !config.CloudWatch.Enabled() || config.CloudWatch.Sandbox && config.Target.Address == "" {
		return nil, nil
	}
	exporter, err := config.newExporter(ctx, config.Target.Address, config.newPrices(), cloudwatch.Options{
		Metrics: metric.Factory{Registerer: prometheus.NewRegistry()}, Log: c.log,
	})
	if err != nil {
		return nil, err
	}
	return exporter.History(ctx, start, end)
}

// instant reads a time, absolute or before now; nothing is now.
func instant(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if ago, relative := strings.CutPrefix(text, "-"); relative {
		d, err := model.ParseDuration(ago)
		if err != nil {
			return now, fmt.Errorf("got %q, want a time such as -6h: %w", text, err)
		}
		return now.Add(-time.Duration(d)), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now, fmt.Errorf("got %q, want RFC 3339 or a time such as -6h", text)
	}
	return at, nil
}
