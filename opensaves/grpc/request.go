package grpc

import (
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc/api"
)

const (
	// gameProperty carries what a record has no field for on this wire.
	gameProperty = "game_id"
	// urlTTL is in seconds; the URLs are read at once if at all.
	urlTTL = 300
)

func pingRequest(*opensaves.Call) *api.PingRequest { return &api.PingRequest{} }

func createStoreRequest(c *opensaves.Call) *api.CreateStoreRequest {
	return &api.CreateStoreRequest{Store: &api.Store{Key: c.Store, Name: c.StoreName, OwnerId: c.Owner, Tags: c.Tags}}
}

func getStoreRequest(c *opensaves.Call) *api.GetStoreRequest {
	return &api.GetStoreRequest{Key: c.Store}
}

func listStoresRequest(c *opensaves.Call) *api.ListStoresRequest {
	return &api.ListStoresRequest{Name: c.StoreName}
}

func deleteStoreRequest(c *opensaves.Call) *api.DeleteStoreRequest {
	return &api.DeleteStoreRequest{Key: c.Store}
}

func createRecordRequest(c *opensaves.Call) *api.CreateRecordRequest {
	return &api.CreateRecordRequest{StoreKey: c.Record.Store, Record: recordOf(c.Record), Hint: hintOf(c.Hint)}
}

func updateRecordRequest(c *opensaves.Call) *api.UpdateRecordRequest {
	return &api.UpdateRecordRequest{StoreKey: c.Record.Store, Record: recordOf(c.Record), Hint: hintOf(c.Hint)}
}

func getRecordRequest(c *opensaves.Call) *api.GetRecordRequest {
	return &api.GetRecordRequest{StoreKey: c.Store, Key: c.Key, Hint: hintOf(c.Hint)}
}

func deleteRecordRequest(c *opensaves.Call) *api.DeleteRecordRequest {
	return &api.DeleteRecordRequest{StoreKey: c.Store, Key: c.Key}
}

func getRecordsRequest(c *opensaves.Call) *api.GetRecordsRequest {
	r := &api.GetRecordsRequest{StoreKeys: make([]string, len(c.Keys)), Keys: make([]string, len(c.Keys))}
	for i, key := range c.Keys {
		r.StoreKeys[i], r.Keys[i] = key.Store, key.Key
	}
	return r
}

func queryRequest(c *opensaves.Call) *api.QueryRecordsRequest {
	q := &c.Query
	r := &api.QueryRecordsRequest{StoreKey: c.Store, OwnerId: q.Owner, Tags: q.Tags, Limit: int32(q.Limit), Offset: int32(q.Offset)}
	if p := &q.Filter.Property; p.Name != "" {
		r.Filters = []*api.QueryFilter{{PropertyName: p.Name, Operator: api.FilterOperator(q.Filter.Operator), Value: valueOf(&p.Value)}}
	}
	if q.Sort.Property != "" {
		order := &api.SortOrder{Property: api.SortOrder_USER_PROPERTY, UserPropertyName: q.Sort.Property}
		if q.Sort.Descending {
			order.Direction = api.SortOrder_DESC
		}
		r.SortOrders = []*api.SortOrder{order}
	}
	return r
}

func deleteBlobRequest(c *opensaves.Call) *api.DeleteBlobRequest {
	return &api.DeleteBlobRequest{StoreKey: c.Store, RecordKey: c.Key, Hint: hintOf(c.Hint)}
}

func createChunkedBlobRequest(c *opensaves.Call) *api.CreateChunkedBlobRequest {
	return &api.CreateChunkedBlobRequest{StoreKey: c.Store, RecordKey: c.Key, ChunkSize: c.ChunkSize, ChunkCount: c.Chunk}
}

func commitRequest(c *opensaves.Call) *api.CommitChunkedUploadRequest {
	return &api.CommitChunkedUploadRequest{SessionId: c.Session, Hint: hintOf(c.Hint)}
}

func abortRequest(c *opensaves.Call) *api.AbortChunkedUploadRequest {
	return &api.AbortChunkedUploadRequest{SessionId: c.Session}
}

func chunkURLsRequest(c *opensaves.Call) *api.CreateChunkUrlsRequest {
	return &api.CreateChunkUrlsRequest{StoreKey: c.Store, Key: c.Key, TtlInSeconds: urlTTL}
}

func swapRequest(c *opensaves.Call) *api.CompareAndSwapRequest {
	return &api.CompareAndSwapRequest{
		StoreKey: c.Store, RecordKey: c.Key, PropertyName: c.Property.Name,
		Value: valueOf(&c.Property.Value), OldValue: valueOf(&c.Old), Hint: hintOf(c.Hint),
	}
}

func intRequest(c *opensaves.Call) *api.AtomicIntRequest {
	return &api.AtomicIntRequest{StoreKey: c.Store, RecordKey: c.Key, PropertyName: c.Property.Name, Value: c.Property.Int, Hint: hintOf(c.Hint)}
}

func incRequest(c *opensaves.Call) *api.AtomicIncRequest {
	return &api.AtomicIncRequest{
		StoreKey: c.Store, RecordKey: c.Key, PropertyName: c.Property.Name,
		LowerBound: c.Low, UpperBound: c.High, Hint: hintOf(c.Hint),
	}
}

func hintOf(h opensaves.Hint) *api.Hint {
	if h == (opensaves.Hint{}) {
		return nil
	}
	return &api.Hint{SkipCache: h.SkipCache, DoNotCache: h.DoNotCache}
}

func recordOf(r *opensaves.Record) *api.Record {
	properties := make(map[string]*api.Property, len(r.Properties)+1)
	for i := range r.Properties {
		properties[r.Properties[i].Name] = valueOf(&r.Properties[i].Value)
	}
	if r.Game != "" {
		properties[gameProperty] = valueOf(&opensaves.Value{Kind: opensaves.String, Str: r.Game})
	}
	return &api.Record{
		Key: r.Key, OwnerId: r.Owner, Tags: r.Tags, Properties: properties,
		OpaqueString: r.Opaque, Signature: r.Signature,
	}
}

func valueOf(v *opensaves.Value) *api.Property {
	p := &api.Property{Type: api.Property_Type(v.Kind)}
	switch v.Kind {
	case opensaves.Integer:
		p.Value = &api.Property_IntegerValue{IntegerValue: v.Int}
	case opensaves.String:
		p.Value = &api.Property_StringValue{StringValue: v.Str}
	case opensaves.Boolean:
		p.Value = &api.Property_BooleanValue{BooleanValue: v.Bool}
	}
	return p
}
