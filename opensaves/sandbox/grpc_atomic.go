package sandbox

import (
	"context"
	"maps"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/fault"
)

// mutation is a request that changes one property of one record.
type mutation struct {
	op       metric.Operation
	at       recordKey
	property string
	hint     *api.Hint
}

// swap is what an atomic request makes of a property: nil leaves it.
type swap func(old *api.Property) (*api.Property, error)

// swapped is what came of it.
type swapped struct {
	old      *api.Property
	answered int64 // the old value that the request before was answered with
	updated  bool
}

// apply runs the request.
func (v *service) apply(a *mutation, how manner, change swap) (swapped, error) {
	var out swapped
	_, err := v.database.write(a.at.store, a.at.key, how, func(at place) (*record, error) {
		if at.old == nil {
			return nil, noRecord(a.at.key)
		}
		if out.old = at.old.typed()[a.property]; out.old == nil {
			return nil, status.Errorf(codes.NotFound, "property (%s) was not found", a.property)
		}
		value, err := change(out.old)
		if err != nil || value == nil {
			return at.old, err
		}
		out.updated, out.answered = true, at.old.answered
		return at.old.with(a.property, value, how), nil
	})
	return out, err
}

// with makes the version that has another value for one property.
func (r *record) with(name string, value *api.Property, how manner) *record {
	next := r.next(how)
	next.properties = maps.Clone(r.typed())
	next.answered = r.typed()[name].GetIntegerValue()
	next.properties[name], next.document = value, nil
	return next
}

func (v *service) CompareAndSwap(ctx context.Context, in *api.CompareAndSwapRequest) (*api.CompareAndSwapResponse, error) {
	a := &mutation{metric.CompareAndSwap, recordKey{in.GetStoreKey(), in.GetRecordKey()}, in.GetPropertyName(), in.GetHint()}
	return run(ctx, v.sandbox, onDatabase(a.op, a.hint), func(how manner) (*api.CompareAndSwapResponse, error) {
		out, err := v.apply(a, how, func(old *api.Property) (*api.Property, error) {
			set := proto.Equal(old, in.GetOldValue()) != (how.lie == fault.NotLinearizable) // the lie does what it should not
			if !set && how.lie != fault.SwapMismatch {
				return nil, nil
			}
			return in.GetValue(), nil
		})
		if err != nil {
			return nil, err
		}
		return &api.CompareAndSwapResponse{Updated: out.updated || how.lie == fault.NotLinearizable, Value: out.old}, nil
	})
}

// step computes a new value; false leaves the old one.
type step func(old int64) (int64, bool)

// told computes what a lie makes of the new value.
func (s step) told(old int64, lie fault.Lie) (int64, bool) {
	value, set := s(old)
	switch lie {
	case fault.NotLinearizable:
		set = !set
	case fault.LostIncrement:
		set = false
	case fault.AtomicTotal:
		value++
	case fault.DoubledIncrement:
		value, _ = s(value)
	}
	return value, set
}

// number runs a request on an integer.
func (v *service) number(ctx context.Context, a *mutation, next step) (*api.AtomicIntResponse, error) {
	return run(ctx, v.sandbox, onDatabase(a.op, a.hint), func(how manner) (*api.AtomicIntResponse, error) {
		out, err := v.apply(a, how, func(old *api.Property) (*api.Property, error) {
			if old.GetType() != api.Property_INTEGER {
				return nil, status.Errorf(codes.InvalidArgument, "property (%s) is no integer", a.property)
			}
			value, set := next.told(old.GetIntegerValue(), how.lie)
			if !set {
				return nil, nil
			}
			return integer(value), nil
		})
		if err != nil {
			return nil, err
		}
		if how.lie == fault.DoubleApplied {
			return &api.AtomicIntResponse{Updated: true, Value: out.answered}, nil
		}
		claimed := how.lie == fault.NotLinearizable || how.lie == fault.LostIncrement
		return &api.AtomicIntResponse{Updated: out.updated || claimed, Value: out.old.GetIntegerValue()}, nil
	})
}

func ofInt(op metric.Operation, in *api.AtomicIntRequest) *mutation {
	return &mutation{op, recordKey{in.GetStoreKey(), in.GetRecordKey()}, in.GetPropertyName(), in.GetHint()}
}

func ofInc(op metric.Operation, in *api.AtomicIncRequest) *mutation {
	return &mutation{op, recordKey{in.GetStoreKey(), in.GetRecordKey()}, in.GetPropertyName(), in.GetHint()}
}

func (v *service) CompareAndSwapGreaterInt(ctx context.Context, in *api.AtomicIntRequest) (*api.AtomicIntResponse, error) {
	return v.number(ctx, ofInt(metric.CompareAndSwapGreater, in), func(old int64) (int64, bool) { return in.GetValue(), in.GetValue() > old })
}

func (v *service) CompareAndSwapLessInt(ctx context.Context, in *api.AtomicIntRequest) (*api.AtomicIntResponse, error) {
	return v.number(ctx, ofInt(metric.CompareAndSwapLess, in), func(old int64) (int64, bool) { return in.GetValue(), in.GetValue() < old })
}

func (v *service) AtomicAddInt(ctx context.Context, in *api.AtomicIntRequest) (*api.AtomicIntResponse, error) {
	return v.number(ctx, ofInt(metric.AtomicAdd, in), func(old int64) (int64, bool) { return old + in.GetValue(), true })
}

func (v *service) AtomicSubInt(ctx context.Context, in *api.AtomicIntRequest) (*api.AtomicIntResponse, error) {
	return v.number(ctx, ofInt(metric.AtomicSub, in), func(old int64) (int64, bool) { return old - in.GetValue(), true })
}

// AtomicInc adds one within the bounds, and wraps to the lower one.
func (v *service) AtomicInc(ctx context.Context, in *api.AtomicIncRequest) (*api.AtomicIntResponse, error) {
	return v.number(ctx, ofInc(metric.AtomicInc, in), func(old int64) (int64, bool) {
		if in.GetLowerBound() <= old && old < in.GetUpperBound() {
			return old + 1, true
		}
		return in.GetLowerBound(), true
	})
}

// AtomicDec takes one off within the bounds, and wraps to the upper one.
func (v *service) AtomicDec(ctx context.Context, in *api.AtomicIncRequest) (*api.AtomicIntResponse, error) {
	return v.number(ctx, ofInc(metric.AtomicDec, in), func(old int64) (int64, bool) {
		if in.GetLowerBound() < old && old <= in.GetUpperBound() {
			return old - 1, true
		}
		return in.GetUpperBound(), true
	})
}
