package cost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	keptFile  = "prices.json"
	keptLimit = 1 << 20             // bytes of that file
	keptFor   = 30 * 24 * time.Hour // prices that are older than that are not believed
)

// kept is the file that prices read from AWS are kept in over a restart.
type kept struct {
	Region string               `json:"region"`
	Prices map[string]keptPrice `json:"prices"` // by item
}

type keptPrice struct {
	USD float64   `json:"usd"`
	At  time.Time `json:"at"`
}

// Keep takes the prices that an earlier process read from AWS and kept in a
// directory, and keeps there what this one reads. An error says that there were
// some and that they could not be read; what this process reads is kept all the same.
func (p *Prices) Keep(directory string, now time.Time) error {
	p.path = filepath.Join(directory, keptFile)
	file, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading kept prices: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	known, err := decodeKept(io.LimitReader(file, keptLimit), now)
	if err != nil {
		return fmt.Errorf("reading kept prices from %s: %w", p.path, err)
	}
	if known.Region != p.region {
		return nil
	}
	for item, was := range known.Prices {
		if p.now.Load().prices[item].source != sourceOverride {
			p.set(item, was.USD, was.At)
		}
	}
	return nil
}

// decodeKept reads the file, and leaves out what is no item's price or too old.
func decodeKept(r io.Reader, now time.Time) (kept, error) {
	var k kept
	if err := json.NewDecoder(r).Decode(&k); err != nil {
		return kept{}, err
	}
	for item, was := range k.Prices {
		i, known := itemOf(item)
		age := now.Sub(was.At)
		if !known || !finite(was.USD) || !i.plausible(was.USD) || age < 0 || age > keptFor {
			delete(k.Prices, item)
		}
	}
	return k, nil
}

// save writes the prices that were read from AWS, if they are to be kept: beside the
// file and over it, so that none is ever half written.
func (p *Prices) save() error {
	if p.path == "" {
		return nil
	}
	k := kept{Region: p.region, Prices: map[string]keptPrice{}}
	for item, found := range p.now.Load().prices {
		if found.source == sourceLive {
			k.Prices[item] = keptPrice{found.usd, found.at}
		}
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path+".new", text, 0o600); err != nil {
		return fmt.Errorf("keeping prices: %w", err)
	}
	return os.Rename(p.path+".new", p.path)
}
