package sandbox

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

func queryOperation(in *api.QueryRecordsRequest) metric.Operation {
	switch {
	case len(in.GetTags()) > 0:
		return metric.QueryByTag
	case len(in.GetFilters()) > 0:
		return metric.QueryByProperty
	}
	return metric.QueryByOwner
}

func (v *service) QueryRecords(ctx context.Context, in *api.QueryRecordsRequest) (*api.QueryRecordsResponse, error) {
	return run(ctx, v.sandbox, uncached(queryOperation(in)), func(how manner) (*api.QueryRecordsResponse, error) {
		s := search{in: in, how: how}
		if err := s.check(); err != nil {
			return nil, err
		}
		found := s.answer(v.database)
		how.found(aws.Records, aws.Query, viewOf(in.GetOwnerId(), ""), amountOf(s.found))
		found = v.database.distort(found, &s, how)
		out := &api.QueryRecordsResponse{Records: make([]*api.Record, len(found)), StoreKeys: make([]string, len(found))}
		for i, r := range found {
			out.Records[i], out.StoreKeys[i] = r.message(), r.store
			if in.GetKeysOnly() {
				out.Records[i] = &api.Record{Key: r.key, Signature: make([]byte, 16)}
			}
		}
		return out, nil
	})
}

// search is one query over records.
type search struct {
	in    *api.QueryRecordsRequest
	how   manner
	found []*record
}

func (s *search) check() error {
	for _, f := range s.in.GetFilters() {
		if _, known := api.FilterOperator_name[int32(f.GetOperator())]; !known {
			return status.Errorf(codes.Unimplemented, "unknown filter operator %d", f.GetOperator())
		}
		if f.GetPropertyName() == "" || f.GetValue() == nil {
			return status.Error(codes.InvalidArgument, "a filter needs a property name and a value")
		}
	}
	for _, o := range s.in.GetSortOrders() {
		if o.GetProperty() == api.SortOrder_USER_PROPERTY && o.GetUserPropertyName() == "" {
			return status.Error(codes.InvalidArgument, "sorting by a user property needs its name")
		}
	}
	return nil
}

func (s *search) most() int { return max(0, int(s.in.GetLimit())) }

// enough says how many matches are worth finding; 0: all.
func (s *search) enough() int {
	if s.most() == 0 || len(s.in.GetSortOrders()) > 0 {
		return 0
	}
	return s.most() + s.skip()
}

// skip says how many matches are left out first: one more than asked for under
// the lie about it.
func (s *search) skip() int {
	offset := max(0, int(s.in.GetOffset()))
	if offset > 0 && s.how.lie == fault.QueryGap {
		offset++
	}
	return offset
}

// answer returns the records that the query finds, in its order, which is that
// of their stores and keys where it names none.
func (s *search) answer(d *database) []*record {
	shelves := []*shelf{d.shelf(s.in.GetStoreKey())}
	if s.in.GetStoreKey() == "" {
		shelves = d.all("")
	}
	for _, sh := range shelves {
		if sh != nil && (s.enough() == 0 || len(s.found) < s.enough()) {
			sh.locked(s.how.plan, func() { s.walk(sh, s.take) })
		}
	}
	if len(s.in.GetSortOrders()) > 0 {
		slices.SortStableFunc(s.found, s.order)
	}
	found := s.found[min(s.skip(), len(s.found)):]
	if limit := s.most(); limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found
}

// take keeps a record that matches and says whether more are wanted.
func (s *search) take(r *record) bool {
	if s.matches(r) && s.sortable(r) && !s.how.misses(r) {
		s.found = append(s.found, r)
	}
	return s.enough() == 0 || len(s.found) < s.enough()
}

// walk yields all records that could match, by the narrowest index.
func (s *search) walk(sh *shelf, yield func(*record) bool) {
	tags := s.in.GetTags()
	switch {
	case s.in.GetOwnerId() != "":
		sh.indexes.owners.ascend(s.in.GetOwnerId(), yield)
	case len(tags) == 1 || len(tags) > 1 && s.in.GetTagFilterMode() == api.TagFilterMode_AND:
		sh.indexes.tags.ascend(tags[0], yield)
	default:
		sh.scan(yield)
	}
}

func (s *search) matches(r *record) bool {
	if k := s.in.GetStoreKey(); k != "" && k != r.store {
		return false
	}
	if o := s.in.GetOwnerId(); o != "" && o != r.owner {
		return false
	}
	return s.tagged(r) && s.filtered(r)
}

func (s *search) tagged(r *record) bool {
	tags := s.in.GetTags()
	has := func(tag string) bool { return slices.Contains(r.tags, tag) }
	if s.in.GetTagFilterMode() == api.TagFilterMode_OR {
		return len(tags) == 0 || slices.ContainsFunc(tags, has)
	}
	return !slices.ContainsFunc(tags, func(tag string) bool { return !has(tag) })
}

func (s *search) filtered(r *record) bool {
	for _, f := range s.in.GetFilters() {
		value := r.typed()[f.GetPropertyName()]
		if value == nil || value.GetType() != f.GetValue().GetType() || !holds(f.GetOperator(), compare(value, f.GetValue())) {
			return false
		}
	}
	return true
}

func holds(o api.FilterOperator, order int) bool {
	switch o {
	case api.FilterOperator_GREATER:
		return order > 0
	case api.FilterOperator_LESS:
		return order < 0
	case api.FilterOperator_GREATER_OR_EQUAL:
		return order >= 0
	case api.FilterOperator_LESS_OR_EQUAL:
		return order <= 0
	}
	return order == 0
}

// compare orders values as Datastore does: integers, booleans, strings.
func compare(a, b *api.Property) int {
	if rank(a) != rank(b) {
		return rank(a) - rank(b)
	}
	switch a.GetType() {
	case api.Property_INTEGER:
		return cmp.Compare(a.GetIntegerValue(), b.GetIntegerValue())
	case api.Property_STRING:
		return strings.Compare(a.GetStringValue(), b.GetStringValue())
	case api.Property_BOOLEAN:
		switch {
		case a.GetBooleanValue() == b.GetBooleanValue():
			return 0
		case a.GetBooleanValue():
			return 1
		}
		return -1
	}
	return 0
}

func rank(p *api.Property) int {
	switch p.GetType() {
	case api.Property_INTEGER:
		return 1
	case api.Property_BOOLEAN:
		return 2
	case api.Property_STRING:
		return 3
	}
	return 0
}

// sortable says whether a record is in the index that a sort reads: it must have
// the property, and nothing has an indexed timestamp.
func (s *search) sortable(r *record) bool {
	for _, o := range s.in.GetSortOrders() {
		if o.GetProperty() != api.SortOrder_USER_PROPERTY || r.typed()[o.GetUserPropertyName()] == nil {
			return false
		}
	}
	return true
}

// tied says whether two records may change places: of the order that was asked
// for, those that are equal in it.
func (s *search) tied(a, b *record) bool { return len(s.in.GetSortOrders()) > 0 && s.order(a, b) == 0 }

func (s *search) order(a, b *record) int {
	for _, o := range s.in.GetSortOrders() {
		c := compare(a.typed()[o.GetUserPropertyName()], b.typed()[o.GetUserPropertyName()])
		if o.GetDirection() == api.SortOrder_DESC {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
