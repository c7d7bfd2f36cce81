package sandbox

import (
	"context"
	"errors"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/fault"
)

// Datastore's limits.
const (
	maxOpaque   = 1_048_487 // bytes
	maxProperty = 1500      // bytes of an indexed string
	maxLookup   = 1000      // keys
)

// checkRecord refuses what upstream does not store.
func checkRecord(r *api.Record) error {
	if n := len(r.GetSignature()); n != 0 && n != 16 {
		return status.Errorf(codes.InvalidArgument, "signature is of %d bytes, want 16", n)
	}
	if n := len(r.GetOpaqueString()); n > maxOpaque {
		return status.Errorf(codes.InvalidArgument, "opaque_string is of %d bytes, want at most %d", n, maxOpaque)
	}
	for name, p := range r.GetProperties() {
		if n := len(p.GetStringValue()); n > maxProperty {
			return status.Errorf(codes.Unknown, "the value of property %q is longer than %d bytes", name, maxProperty)
		}
	}
	return nil
}

// assign replaces all that an update replaces.
func (r *record) assign(m *api.Record) {
	r.owner, r.tags, r.opaque = m.GetOwnerId(), m.GetTags(), m.GetOpaqueString()
	r.properties, r.document = m.GetProperties(), nil
	if m.GetExpiresAt() != nil {
		r.expires = m.GetExpiresAt()
	}
}

func (v *service) CreateRecord(ctx context.Context, in *api.CreateRecordRequest) (*api.Record, error) {
	c := onDatabase(metric.CreateRecord, in.GetHint())
	c.failures = created
	return run(ctx, v.sandbox, c, func(how manner) (*api.Record, error) {
		if err := checkRecord(in.GetRecord()); err != nil {
			return nil, err
		}
		key := in.GetRecord().GetKey()
		if key == "" {
			return nil, status.Error(codes.InvalidArgument, "record has no key")
		}
		r := &record{content: content{store: in.GetStoreKey(), key: key, created: how.now, updated: how.now, signature: how.sign()}}
		r.assign(in.GetRecord())
		switch err := v.database.insert(r, how); {
		case errors.Is(err, errNoStore):
			return nil, status.Errorf(codes.FailedPrecondition, "store (%s) was not found", in.GetStoreKey())
		case err != nil:
			return nil, status.Errorf(codes.AlreadyExists, "record (%s) already exists", key)
		}
		return r.message(), nil
	})
}

// onRead describes a read that the cache may answer.
func (v *service) onRead(op metric.Operation, at recordKey, h *api.Hint) *call {
	c := onDatabase(op, h)
	if v.sandbox.plan.Load() != nil && v.database.cached(at, c.hint) {
		c.touches, c.failures = fault.Redis, nil
	}
	return c
}

func noRecord(key string) error {
	return status.Errorf(codes.NotFound, "record (%s) was not found", key)
}

func (v *service) GetRecord(ctx context.Context, in *api.GetRecordRequest) (*api.Record, error) {
	at := recordKey{in.GetStoreKey(), in.GetKey()}
	return run(ctx, v.sandbox, v.onRead(metric.GetRecord, at, in.GetHint()), func(how manner) (*api.Record, error) {
		r, err := v.database.read(at, how)
		if err != nil {
			return nil, noRecord(at.key)
		}
		return r.shown(how).message(), nil
	})
}

func (v *service) GetRecords(ctx context.Context, in *api.GetRecordsRequest) (*api.GetRecordsResponse, error) {
	return run(ctx, v.sandbox, uncached(metric.GetRecords), func(how manner) (*api.GetRecordsResponse, error) {
		stores, keys := in.GetStoreKeys(), in.GetKeys()
		if len(stores) != len(keys) || len(keys) > maxLookup {
			return nil, status.Errorf(codes.InvalidArgument, "got %d store keys and %d keys, want as many and at most %d", len(stores), len(keys), maxLookup)
		}
		out := &api.GetRecordsResponse{Results: make([]*api.GetRecordsResponse_Result, len(keys))}
		for i, key := range keys {
			result := &api.GetRecordsResponse_Result{StoreKey: stores[i], Status: &rpcstatus.Status{}}
			if r, err := v.database.read(recordKey{stores[i], key}, how); err != nil {
				result.Status = status.Convert(noRecord(key)).Proto()
			} else {
				result.Record = r.shown(how).message()
			}
			out.Results[i] = result
		}
		return out, nil
	})
}

func (v *service) UpdateRecord(ctx context.Context, in *api.UpdateRecordRequest) (*api.Record, error) {
	c := onDatabase(metric.UpdateRecord, in.GetHint())
	if len(in.GetRecord().GetSignature()) > 0 {
		c.failures = signed
	}
	return run(ctx, v.sandbox, c, func(how manner) (*api.Record, error) {
		if err := checkRecord(in.GetRecord()); err != nil {
			return nil, err
		}
		key := in.GetRecord().GetKey()
		r, err := v.database.write(in.GetStoreKey(), key, how, func(at place) (*record, error) {
			return at.updated(key, in.GetRecord(), how)
		})
		if err != nil {
			return nil, err
		}
		return r.message(), nil
	})
}

// updated makes the version that an update asks for, if its signature is of the
// one that is there.
func (p place) updated(key string, m *api.Record, how manner) (*record, error) {
	if p.old == nil {
		return nil, noRecord(key)
	}
	if sent := m.GetSignature(); len(sent) > 0 && [16]byte(sent) != p.old.signature && how.lie != fault.LostUpdate {
		return nil, status.Errorf(codes.FailedPrecondition, "record (%s) has another signature", key)
	}
	next := p.base(how).next(how)
	next.assign(m)
	return next, nil
}

func (v *service) DeleteRecord(ctx context.Context, in *api.DeleteRecordRequest) (*emptypb.Empty, error) {
	return run(ctx, v.sandbox, onDatabase(metric.DeleteRecord, nil), func(how manner) (*emptypb.Empty, error) {
		_, err := v.database.write(in.GetStoreKey(), in.GetKey(), how, func(place) (*record, error) { return nil, nil })
		return &emptypb.Empty{}, err
	})
}
