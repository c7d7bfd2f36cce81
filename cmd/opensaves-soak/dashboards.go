package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"opensaves-soak/dashboards"
)

// dashboardFlags are the flags of dashboards.
type dashboardFlags struct {
	configFile string
	output     string
	grafana    string
	tokenFile  string
	place      dashboards.Placement
}

func (f *dashboardFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("config.file", "Configuration file, for its objectives; empty: the defaults.").StringVar(&f.configFile)
	cmd.Flag("output", "Directory that the dashboards are written to, a file each.").StringVar(&f.output)
	cmd.Flag("grafana.url", "Address of a Grafana that the dashboards are applied to instead.").StringVar(&f.grafana)
	cmd.Flag("grafana.token-file", "File with the token of a service account; empty: the environment variable GRAFANA_TOKEN.").StringVar(&f.tokenFile)
	cmd.Flag("grafana.folder", "UID of the folder, which is created where it is missing.").Default("opensaves-soak").StringVar(&f.place.FolderUID)
	cmd.Flag("grafana.folder-title", "Title of a folder that is created.").Default("Open Saves soak").StringVar(&f.place.FolderTitle)
	cmd.Flag("grafana.overwrite", "Replace dashboards that stand in another folder, or that somebody saves at the same moment.").BoolVar(&f.place.Overwrite)
	cmd.Flag("dry-run", "Change nothing in Grafana; show what would change.").BoolVar(&f.place.DryRun)
}

// runDashboards writes the dashboards to files, or applies them to a Grafana.
func (c *command) runDashboards(ctx context.Context, f dashboardFlags) error {
	if (f.output == "") == (f.grafana == "") {
		return fmt.Errorf("%w: --output, --grafana.url: want one of them", errUsage)
	}
	config, err := (configSource{path: f.configFile, locked: lockedShare}).load()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	boards, err := dashboards.Boards(dashboards.Options{Objectives: config.Objectives})
	if err != nil {
		return err
	}
	if f.output != "" {
		return writeBoards(f.output, boards)
	}
	return c.applyBoards(ctx, f, boards)
}

func writeBoards(directory string, boards []dashboards.Board) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for _, b := range boards {
		if err := os.WriteFile(filepath.Join(directory, b.Name+".json"), b.JSON, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// tokenLimit is how long a token may be, in bytes.
const tokenLimit = 4096

// applyBoards brings the dashboards into a Grafana, and says what has changed.
func (c *command) applyBoards(ctx context.Context, f dashboardFlags, boards []dashboards.Board) error {
	address, err := url.Parse(f.grafana)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || address.User != nil {
		return fmt.Errorf("%w: --grafana.url: want http(s)://host[:port][/path], without user and password", errUsage)
	}
	token := os.Getenv("GRAFANA_TOKEN")
	if f.tokenFile != "" {
		if token, err = readToken(f.tokenFile); err != nil {
			return err
		}
	}
	if token == "" {
		return fmt.Errorf("%w: --grafana.token-file: got none and no GRAFANA_TOKEN, want the token of a service account", errUsage)
	}
	changes, err := dashboards.Grafana{URL: f.grafana, Token: token}.Apply(ctx, boards, f.place)
	would := map[bool]string{true: "would be ", false: ""}[f.place.DryRun]
	for _, change := range changes {
		fmt.Fprintf(c.stdout, "%s: %s%s\n", change.What, would, change.Action)
		for _, line := range change.Diff {
			fmt.Fprintln(c.stdout, "  "+line)
		}
	}
	return err
}

// readToken reads a token from a file.
func readToken(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading --grafana.token-file: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, tokenLimit+1))
	if err != nil {
		return "", fmt.Errorf("reading --grafana.token-file: %w", err)
	}
	if len(text) > tokenLimit {
		return "", fmt.Errorf("reading --grafana.token-file: got more than %d bytes, want a token", tokenLimit)
	}
	return strings.TrimSpace(string(text)), nil
}
