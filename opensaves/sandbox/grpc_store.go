package sandbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

// What calls to the database are answered with that were refused: an error
// without a status of its own. And when it cannot be reached.
var (
	throttled   = []error{status.Error(codes.Unknown, "request rate exceeds the table's throughput")}
	unreachable = status.Error(codes.Unavailable, "the database cannot be reached")
)

// The failures of gRPC's calls, by what a write is answered with that was made
// already.
var (
	asBefore = &failures{throttled, unreachable, nil}
	created  = &failures{throttled, unreachable, status.Error(codes.AlreadyExists, "exists already")}
	signed   = &failures{throttled, unreachable, status.Error(codes.FailedPrecondition, "the signature is another one")}
	removed  = &failures{throttled, unreachable, status.Error(codes.FailedPrecondition, "the record has no blob")}
)

// onDatabase describes a call that cannot be answered from the cache.
func onDatabase(op metric.Operation, h *api.Hint) *call {
	return &call{op: op, touches: fault.DynamoDB | fault.Redis, failures: asBefore, hint: hintOf(h), cache: true}
}

// uncached describes a call that never looks into the cache nor fills it.
func uncached(op metric.Operation) *call {
	return &call{op: op, touches: fault.DynamoDB, failures: asBefore}
}

func hintOf(h *api.Hint) hint { return hint{skip: h.GetSkipCache(), keepOut: h.GetDoNotCache()} }

func (v *service) Ping(ctx context.Context, in *api.PingRequest) (*api.PingResponse, error) {
	return run(ctx, v.sandbox, &call{op: metric.Ping}, func(manner) (*api.PingResponse, error) {
		return &api.PingResponse{Pong: in.GetPing()}, nil
	})
}

func (v *service) CreateStore(ctx context.Context, in *api.CreateStoreRequest) (*api.Store, error) {
	c := onDatabase(metric.CreateStore, nil)
	c.failures = created
	return run(ctx, v.sandbox, c, func(how manner) (*api.Store, error) {
		sent := in.GetStore()
		row := &store{key: sent.GetKey(), name: sent.GetName(), owner: sent.GetOwnerId(), tags: sent.GetTags(), created: how.now}
		if err := v.database.createStore(storeID(row.key), row, how); err != nil {
			how.clashed(aws.Stores, row.size())
			return nil, status.Errorf(codes.AlreadyExists, "store (%s) already exists", row.key)
		}
		how.wrote(aws.Stores, aws.PutItem, 0, row.size())
		return row.message(), nil
	})
}

// storeID returns where a store is kept: without a key, where nobody finds it.
func storeID(key string) string {
	if key != "" {
		return key
	}
	id := newSignature()
	return "\x00" + string(id[:])
}

func (s *store) message() *api.Store {
	at := timestamppb.New(s.created.Truncate(time.Microsecond))
	return &api.Store{Key: s.key, Name: s.name, Tags: s.tags, OwnerId: s.owner, CreatedAt: at, UpdatedAt: at}
}

func (v *service) GetStore(ctx context.Context, in *api.GetStoreRequest) (*api.Store, error) {
	c := onDatabase(metric.GetStore, nil)
	if _, hit := v.database.stores.get(in.GetKey()); hit {
		c.touches, c.failures = fault.Redis, nil
	}
	return run(ctx, v.sandbox, c, func(how manner) (*api.Store, error) {
		row, hit := v.database.stores.get(in.GetKey())
		if hit {
			how.meter.Hit(row.size())
			return row.shown(how).message(), nil
		}
		how.meter.Miss()
		row, err := v.database.store(in.GetKey())
		how.got(aws.Stores, row.size())
		if err != nil {
			return nil, status.Errorf(codes.NotFound, "store (%s) was not found", in.GetKey())
		}
		v.database.lendStore(in.GetKey(), row, how)
		return row.shown(how).message(), nil
	})
}

func (v *service) ListStores(ctx context.Context, in *api.ListStoresRequest) (*api.ListStoresResponse, error) {
	return run(ctx, v.sandbox, uncached(metric.ListStores), func(how manner) (*api.ListStoresResponse, error) {
		row := v.database.storeNamed(in.GetName())
		var page aws.Amount
		if row != nil {
			page.Add(row.size())
		}
		how.found(aws.Stores, aws.Scan, aws.Base, page)
		if row == nil {
			return nil, status.Errorf(codes.NotFound, "store (name=%s) was not found", in.GetName())
		}
		return &api.ListStoresResponse{Stores: []*api.Store{row.shown(how).message()}}, nil
	})
}

// storeNamed returns the store of a name with the lowest id, nil if there is none.
func (d *database) storeNamed(name string) *store {
	var best *store
	var id string
	d.shelves.Range(func(_, value any) bool {
		s := value.(*shelf)
		s.mu.RLock()
		defer s.mu.RUnlock()
		if s.store != nil && s.store.name == name && (best == nil || strings.Compare(s.id, id) < 0) {
			best, id = s.store, s.id
		}
		return true
	})
	return best
}

// DeleteStore leaves the cached copy, as upstream does.
func (v *service) DeleteStore(ctx context.Context, in *api.DeleteStoreRequest) (*emptypb.Empty, error) {
	return run(ctx, v.sandbox, uncached(metric.DeleteStore), func(how manner) (*emptypb.Empty, error) {
		err := v.database.deleteStore(in.GetKey(), how, nil)
		how.emptied(nil)
		if errors.Is(err, errNotEmpty) {
			return nil, status.Errorf(codes.FailedPrecondition, "store (%s) is not empty", in.GetKey())
		}
		how.wrote(aws.Stores, aws.DeleteItem, 0, 0)
		return &emptypb.Empty{}, nil
	})
}
