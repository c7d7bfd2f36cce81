package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"opensaves-soak/report"
)

// document is what can be saved: as Markdown and JSON, a report as a page too.
type document interface {
	WriteMarkdown(w io.Writer) error
}

// form is how a document is written.
type form func(document, io.Writer) error

// formOf tells the form by the file's name.
func formOf(path string) (form, error) {
	switch filepath.Ext(path) {
	case ".md":
		return document.WriteMarkdown, nil
	case ".json":
		return func(d document, w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(d)
		}, nil
	case ".html":
		return func(d document, w io.Writer) error {
			page, ok := d.(*report.Report)
			if !ok {
				return errors.New("got a comparison, which is no page")
			}
			return page.WriteHTML(w)
		}, nil
	}
	return nil, fmt.Errorf("got %s, want a name that ends in .html, .md or .json", path)
}

// save writes a document in the form that the file's name asks for.
func (c *command) save(d document, path string) error {
	if path == "-" {
		return d.WriteMarkdown(c.stdout)
	}
	write, err := formOf(path)
	if err != nil {
		return fmt.Errorf("%w: --output: %w", errUsage, err)
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := write(d, file); err != nil {
		_ = file.Close() // what was written is of no use
		return fmt.Errorf("writing the report: %w", err)
	}
	return file.Close()
}
