package grpc

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc/api"
)

type empty = emptypb.Empty

func nothing[Reply any](*opensaves.Call, *opensaves.Answer, *Reply) error { return nil }

func readStore(_ *opensaves.Call, a *opensaves.Answer, s *api.Store) error {
	a.Stores = append(a.Stores, opensaves.Store{Key: s.Key, Name: s.Name, Owner: s.OwnerId, Tags: s.Tags})
	return nil
}

func readStores(c *opensaves.Call, a *opensaves.Answer, reply *api.ListStoresResponse) error {
	for _, s := range reply.Stores {
		if err := readStore(c, a, s); err != nil {
			return err
		}
	}
	return nil
}

// readRecord names the store that was asked: a record does not tell its own.
func readRecord(c *opensaves.Call, a *opensaves.Answer, r *api.Record) error {
	store := c.Store
	if c.Record != nil {
		store = c.Record.Store
	}
	fillRecord(&a.Record, store, r)
	return nil
}

func readRecords(c *opensaves.Call, a *opensaves.Answer, reply *api.QueryRecordsResponse) error {
	for i, r := range reply.Records {
		store := c.Store
		if i < len(reply.StoreKeys) {
			store = reply.StoreKeys[i]
		}
		fillRecord(nextRecord(a), store, r)
	}
	return nil
}

// readResults gives each key a status and a record, which is empty but for its store where the status is not OK.
func readResults(c *opensaves.Call, a *opensaves.Answer, reply *api.GetRecordsResponse) error {
	if len(reply.Results) != len(c.Keys) {
		return status.Errorf(codes.Internal, "reading records: got %d results, want %d", len(reply.Results), len(c.Keys))
	}
	for _, result := range reply.Results {
		a.Statuses = append(a.Statuses, codeOf(uint32(result.Status.GetCode())))
		fillRecord(nextRecord(a), result.StoreKey, result.GetRecord())
	}
	return nil
}

func readSession(_ *opensaves.Call, a *opensaves.Answer, reply *api.CreateChunkedBlobResponse) error {
	a.Session = reply.SessionId
	return nil
}

func readCommitted(_ *opensaves.Call, a *opensaves.Answer, blob *api.BlobMetadata) error {
	fillBlob(a, blob)
	return nil
}

func readURLs(_ *opensaves.Call, a *opensaves.Answer, reply *api.CreateChunkUrlsResponse) error {
	a.URLs = append(a.URLs, reply.ChunkUrls...)
	return nil
}

func readSwapped(_ *opensaves.Call, a *opensaves.Answer, reply *api.CompareAndSwapResponse) error {
	a.Updated, a.Old = reply.Updated, fromProperty(reply.Value)
	return nil
}

func readInt(_ *opensaves.Call, a *opensaves.Answer, reply *api.AtomicIntResponse) error {
	a.Updated, a.Old = reply.Updated, opensaves.Value{Kind: opensaves.Integer, Int: reply.Value}
	return nil
}

func fillBlob(a *opensaves.Answer, blob *api.BlobMetadata) {
	a.Chunked = blob.Chunked
	a.Record.BlobSize, a.Record.Chunked, a.Record.ChunkCount = blob.Size, blob.Chunked, blob.ChunkCount
}

// nextRecord appends a record that uses the memory of the one that stood there before.
func nextRecord(a *opensaves.Answer) *opensaves.Record {
	n := len(a.Records)
	if n == cap(a.Records) {
		a.Records = append(a.Records, opensaves.Record{})
	}
	a.Records = a.Records[:n+1]
	return &a.Records[n]
}

func fillRecord(into *opensaves.Record, store string, r *api.Record) {
	*into = opensaves.Record{
		Store: store, Key: r.GetKey(), Owner: r.GetOwnerId(), Opaque: r.GetOpaqueString(),
		Tags: append(into.Tags[:0], r.GetTags()...), Properties: into.Properties[:0],
		Signature: r.GetSignature(), BlobSize: r.GetBlobSize(), Chunked: r.GetChunked(), ChunkCount: r.GetChunkCount(),
		Blobs: into.Blobs[:0],
	}
	for name, property := range r.GetProperties() {
		value := fromProperty(property)
		if name == gameProperty && value.Kind == opensaves.String {
			into.Game = value.Str
			continue
		}
		into.Properties = append(into.Properties, opensaves.Property{Name: name, Value: value})
	}
}

func fromProperty(p *api.Property) opensaves.Value {
	v := opensaves.Value{Kind: opensaves.Kind(p.GetType())}
	switch v.Kind {
	case opensaves.Integer:
		v.Int = p.GetIntegerValue()
	case opensaves.String:
		v.Str = p.GetStringValue()
	case opensaves.Boolean:
		v.Bool = p.GetBooleanValue()
	default:
		v.Kind = opensaves.Undefined
	}
	return v
}
