package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// document is what can be saved: as Markdown, and as JSON too.
type document interface {
	WriteMarkdown(w io.Writer) error
}

// save writes a document in the form that the file's name asks for.
func (c *command) save(d document, path string) error {
	if path == "-" {
		return d.WriteMarkdown(c.stdout)
	}
	write := d.WriteMarkdown
	page, paged := d.(interface{ WriteHTML(w io.Writer) error })
	switch {
	case strings.HasSuffix(path, ".json"):
		write = func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(d)
		}
	case strings.HasSuffix(path, ".html") && paged:
		write = page.WriteHTML
	case !strings.HasSuffix(path, ".md"):
		return fmt.Errorf("%w: --output: got %s, want a name that ends in .html, .md or .json", errUsage, path)
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
