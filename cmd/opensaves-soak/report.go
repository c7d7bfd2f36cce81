package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/model"

	"opensaves-soak/alerts"
	"opensaves-soak/report"
)

// reportFlags are the flags of report.
type reportFlags struct {
	url        string
	start, end string
	configFile string
	selector   string
	output     string
}

func (f *reportFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("prometheus.url", "Prometheus that has scraped the tester.").Required().StringVar(&f.url)
	cmd.Flag("start", "Begin of the range: RFC 3339, or a time before now such as -6h.").Default("-6h").StringVar(&f.start)
	cmd.Flag("end", "End of the range, likewise; empty: now.").StringVar(&f.end)
	cmd.Flag("config.file", "Configuration file, for its objectives; empty: the defaults.").StringVar(&f.configFile)
	cmd.Flag("selector", "Matchers of the tester's series.").Default(alerts.DefaultSettings().Selector).StringVar(&f.selector)
	cmd.Flag("output", "File that is written: Markdown (.md) or JSON (.json); -: Markdown on standard output.").Default("-").StringVar(&f.output)
}

// writeReport asks Prometheus and writes what it shows.
func (c *command) writeReport(ctx context.Context, f reportFlags) error {
	config, err := (configSource{path: f.configFile, locked: lockedShare}).load()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	q := report.Question{Objectives: config.Objectives}
	now := time.Now()
	if q.Start, err = instant(f.start, now); err != nil {
		return fmt.Errorf("%w: --start: %w", errUsage, err)
	}
	if q.End, err = instant(f.end, now); err != nil {
		return fmt.Errorf("%w: --end: %w", errUsage, err)
	}
	if !q.Start.Before(q.End) {
		return fmt.Errorf("%w: --start: got %s, want it before --end, %s", errUsage, q.Start.Format(time.RFC3339), q.End.Format(time.RFC3339))
	}
	settings := alerts.DefaultSettings()
	if settings.Selector = f.selector; settings.Validate() != nil {
		return fmt.Errorf("%w: --selector: %w", errUsage, settings.Validate())
	}
	client, err := api.NewClient(api.Config{Address: f.url})
	if err != nil {
		return fmt.Errorf("%w: --prometheus.url: %w", errUsage, err)
	}
	r, err := report.Make(ctx, report.NewPrometheus(client, f.selector), q)
	if err != nil {
		return err
	}
	return c.save(r, f.output)
}

// save writes a report in the form that the file's name asks for.
func (c *command) save(r *report.Report, path string) error {
	if path == "-" {
		return r.WriteMarkdown(c.stdout)
	}
	write := r.WriteMarkdown
	if strings.HasSuffix(path, ".json") {
		write = func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(r)
		}
	} else if !strings.HasSuffix(path, ".md") {
		return fmt.Errorf("%w: --output: got %s, want a name that ends in .md or .json", errUsage, path)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := write(file); err != nil {
		_ = file.Close() // what was written is of no use
		return fmt.Errorf("writing the report: %w", err)
	}
	return file.Close()
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
