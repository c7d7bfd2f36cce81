package leftover

import (
	"context"
	"slices"

	"opensaves-soak/load/ledger"
)

// blockSize is how many objects are looked at, at the most, before the next
// ones are.
const blockSize = 64

// pass is how far a cleaner has come with a run.
type pass struct {
	at   uint64
	size uint64 // of the next block; 0: it is the first
	err  error  // the first
}

// run cleans on from where it stopped when time ran out, of which it tells by an
// error and stopped. At the end it returns the first error, and begins anew when
// it is called again.
func (p *pass) run(ctx context.Context, c *cleaner) (stopped bool, err error) {
	if p.size == 0 {
		p.size = blockSize
	}
	for {
		kind, keys := c.run.block(p.at, p.size)
		if len(keys) == 0 {
			break
		}
		err := c.block(ctx, kind, keys)
		if outOfTime(ctx, err) {
			p.size = max(1, p.size/2) // so that one fits in next time
			return true, err
		}
		if p.err == nil {
			p.err = err
		}
		p.at += uint64(len(keys))
		p.size = min(blockSize, 2*p.size)
	}
	err = p.err
	*p = pass{}
	return false, err
}

// own cleans objects by their keys, or all that the run may have where these are nil.
func (c *cleaner) own(ctx context.Context, stores, metadata []string) (first error) {
	if stores == nil && metadata == nil {
		_, err := new(pass).run(ctx, c)
		return err
	}
	clean := func(kind byte, all []string) {
		for keys := range slices.Chunk(all, blockSize) {
			err := ctx.Err()
			if err == nil {
				err = c.block(ctx, kind, keys)
			}
			if first == nil {
				first = err
			}
		}
	}
	clean(ledger.Store, stores)
	clean(ledger.Metadata, metadata)
	return first
}
