package cost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
	"github.com/aws/smithy-go"
)

const (
	readEvery   = 24 * time.Hour
	retryAfter  = time.Hour
	readTimeout = time.Minute // for an item
	pageSize    = 100         // products, the most that AWS gives
	mostPages   = 20          // what is asked for is a few pages
	implausible = 100         // times the built-in price: that is of another unit
)

// Products is the method GetProducts of a *pricing.Client. The API is in us-east-1
// and two other regions only, and says the prices of all: the client's region has
// nothing to do with that of Prices. It is no interface, because the linker keeps
// every operation of a client that stands behind one.
type Products func(context.Context, *pricing.GetProductsInput, ...func(*pricing.Options)) (*pricing.GetProductsOutput, error)

// Run reads prices from AWS until ctx ends: each item at once, and again every 24
// hours, or an hour after it failed. An item that fails keeps the price that it
// has. A failure is logged once, until it is another.
func (p *Prices) Run(ctx context.Context, products Products, log *slog.Logger) {
	r := reader{prices: p, products: products, log: log, due: map[string]time.Time{}, failed: map[string]string{}}
	for ctx.Err() == nil {
		r.round(ctx)
		timer := time.NewTimer(time.Until(r.next()))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-p.news:
		}
		timer.Stop()
	}
}

// reader reads prices, and remembers when.
type reader struct {
	prices   *Prices
	products Products
	log      *slog.Logger
	due      map[string]time.Time // when an item is read next
	failed   map[string]string    // why it could not be read, as last logged
}

// next is when the first item is due.
func (r *reader) next() time.Time {
	next := time.Now().Add(readEvery)
	for _, due := range r.due {
		if due.Before(next) {
			next = due
		}
	}
	return next
}

// round reads the items that are due.
func (r *reader) round(ctx context.Context) {
	failures := map[string][]string{} // new ones: items by cause
	texts := map[string]string{}      // what AWS said of them
	var again []string
	read := 0
	for _, name := range r.prices.asked() {
		if time.Until(r.due[name]) > 0 {
			continue
		}
		usd, err := r.read(ctx, name)
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			r.prices.set(name, usd, now)
			read++
			r.due[name] = now.Add(readEvery)
			if r.failed[name] != "" {
				again = append(again, name)
			}
			delete(r.failed, name)
			continue
		}
		r.due[name] = now.Add(retryAfter)
		if why := cause(err); why != r.failed[name] {
			r.failed[name] = why
			failures[why], texts[why] = append(failures[why], name), err.Error()
		}
	}
	for why, items := range failures {
		r.log.Warn("Prices cannot be read from AWS, those at hand hold", "items", items, "err", texts[why])
	}
	if read > 0 {
		if err := r.prices.save(); err != nil {
			r.log.Warn("Prices are not kept for the next start", "err", err)
		}
	}
	if len(again) > 0 {
		r.log.Info("Prices are read from AWS again", "items", again)
	}
}

// read returns the price of an item, in USD for one unit.
func (r *reader) read(ctx context.Context, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	i, _ := itemOf(name)
	documents, err := r.query(ctx, i.listing)
	if err != nil {
		return 0, err
	}
	usd, err := i.listing.pick(documents)
	if err != nil {
		return 0, err
	}
	if !i.plausible(usd) {
		return 0, fmt.Errorf("picking a product: got %v USD for one %s, want about the %v that are built in", usd, i.unit, i.usd)
	}
	return usd, nil
}

// plausible says whether a price may be one for the item's unit.
func (i item) plausible(usd float64) bool {
	return i.usd == 0 || usd <= implausible*i.usd && usd >= i.usd/implausible
}

// query returns the documents of all products that match, page by page.
func (r *reader) query(ctx context.Context, l listing) (documents []string, err error) {
	in := &pricing.GetProductsInput{
		ServiceCode: aws.String(l.service), FormatVersion: aws.String("aws_v1"), MaxResults: aws.Int32(pageSize),
		Filters: []types.Filter{match("regionCode", r.prices.region)},
	}
	for _, a := range l.filters {
		in.Filters = append(in.Filters, match(a.field, a.value))
	}
	for range mostPages {
		out, err := r.products(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("reading products: %w", err)
		}
		documents = append(documents, out.PriceList...)
		if aws.ToString(out.NextToken) == "" {
			return documents, nil
		}
		in.NextToken = out.NextToken
	}
	return nil, fmt.Errorf("reading products: got more than %d pages of them", mostPages)
}

func match(field, value string) types.Filter {
	return types.Filter{Type: types.FilterTypeTermMatch, Field: aws.String(field), Value: aws.String(value)}
}

// cause is why AWS could not be asked, without what differs from call to call: the
// request's id, the session of a role, our port.
func cause(err error) string {
	var refused smithy.APIError
	var broken *net.OpError
	switch {
	case errors.As(err, &refused):
		return refused.ErrorCode()
	case errors.As(err, &broken):
		return broken.Op + ": " + broken.Err.Error()
	}
	return err.Error()
}
