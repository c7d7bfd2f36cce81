package scenario

import (
	"maps"
	"slices"

	m "opensaves-soak/exporter/metric"
)

// Weight is one operation of a scenario and how often it comes, relative to
// the others.
type Weight struct {
	Op     m.Operation
	Weight float64
}

// The scenarios whose names matter elsewhere.
const (
	mixed     = "mixed"
	cache     = "cache"
	contended = "contended"
)

// scenarios are what players do. Where the protocol lacks an operation, the
// others take its share; mixed keeps its share of reads.
var scenarios = map[string][]Weight{
	"crud": {
		{m.CreateStore, 1},
		{m.GetStore, 5},
		{m.ListStores, 1},
		{m.DeleteStore, 1},
		{m.CreateRecord, 12},
		{m.GetRecord, 40},
		{m.UpdateRecord, 16},
		{m.DeleteRecord, 12},
		{m.GetRecords, 2},
		{m.SetMetadata, 4},
		{m.GetMetadata, 4},
		{m.DeleteMetadata, 2},
	},
	"blobs": {
		{m.CreateBlob, 25},
		{m.GetBlob, 50},
		{m.DeleteBlob, 15},
		{m.ListBlobs, 5},
		{m.CreateChunkedBlob, 2},
		{m.UploadChunk, 6},
		{m.CommitChunkedUpload, 1.5},
		{m.AbortChunkedUpload, 0.5},
		{m.GetBlobChunk, 6},
		{m.CreateChunkURLs, 1},
	},
	"queries": {
		{m.QueryByOwner, 35},
		{m.QueryByTag, 20},
		{m.QueryByProperty, 10},
		{m.QueryByGame, 20},
		{m.ListRecords, 5},
		{m.GetMetadata, 10},
	},
	mixed: {
		{m.Ping, 1},
		{m.GetStore, 6},
		{m.ListStores, 1},
		{m.GetRecord, 50},
		{m.GetRecords, 3},
		{m.QueryByOwner, 8},
		{m.QueryByTag, 3},
		{m.QueryByProperty, 2},
		{m.QueryByGame, 4},
		{m.ListRecords, 1},
		{m.GetMetadata, 8},
		{m.GetBlob, 12},
		{m.ListBlobs, 2},
		{m.GetBlobChunk, 2},
		{m.CreateChunkURLs, 0.5},
		{m.CreateStore, 0.5},
		{m.DeleteStore, 0.5},
		{m.CreateRecord, 16},
		{m.UpdateRecord, 46},
		{m.DeleteRecord, 16},
		{m.SetMetadata, 10},
		{m.DeleteMetadata, 2},
		{m.CreateBlob, 6},
		{m.DeleteBlob, 3},
		{m.CreateChunkedBlob, 0.5},
		{m.UploadChunk, 1.5},
		{m.CommitChunkedUpload, 0.4},
		{m.AbortChunkedUpload, 0.1},
		{m.CompareAndSwap, 1},
		{m.AtomicAdd, 2},
		{m.AtomicInc, 1},
	},
	cache: {
		{m.GetRecord, 80}, {m.GetStore, 5}, {m.GetBlob, 5}, {m.UpdateRecord, 8}, {m.CreateBlob, 2}, {m.DeleteBlob, 1},
	},
	"atomics": {
		{m.CompareAndSwap, 20},
		{m.CompareAndSwapGreater, 10},
		{m.CompareAndSwapLess, 10},
		{m.AtomicAdd, 20},
		{m.AtomicSub, 10},
		{m.AtomicInc, 15},
		{m.AtomicDec, 15},
	},
	contended: { // the first two on gRPC, the others on REST
		{m.GetRecord, 50}, {m.UpdateRecord, 50}, {m.CreateBlob, 50}, {m.ListBlobs, 50},
	},
}

// Names returns the scenarios that may be asked for.
func Names() []string { return slices.Sorted(maps.Keys(scenarios)) }

// Weights returns the operations of a scenario.
func Weights(name string) []Weight { return slices.Clone(scenarios[name]) }
