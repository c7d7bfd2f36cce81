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
	if err := replace(path, func(w io.Writer) error { return write(d, w) }); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// replace writes a file beside the path's and puts it in its place when it is whole, so
// that one that cannot be written leaves what was there. What is no regular file, such
// as a pipe or a link, is written to as it is.
func replace(path string, write func(io.Writer) error) error {
	old, err := os.Lstat(path)
	if err == nil && !old.Mode().IsRegular() {
		return create(path, write)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".report-*") // a file in it gets the permissions that any new one does
	if err != nil {
		return create(path, write) // the file may be writable where its directory is not
	}
	defer func() { _ = os.RemoveAll(dir) }() // one that stays is only litter
	draft := filepath.Join(dir, filepath.Base(path))
	if err := create(draft, write); err != nil {
		return err
	}
	if old != nil {
		if err := os.Chmod(draft, old.Mode()); err != nil {
			return err
		}
	}
	return os.Rename(draft, path)
}

func create(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
