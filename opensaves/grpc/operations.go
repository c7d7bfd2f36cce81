package grpc

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc/api"
)

// operation makes the call and fills its answer.
type operation func(*attempt, *grpc.ClientConn) error

// operations has nil where gRPC lacks the operation.
var operations = [metric.Operations]operation{
	metric.Ping:                  unary(api.OpenSaves_Ping_FullMethodName, pingRequest, nothing[api.PingResponse]),
	metric.CreateStore:           unary(api.OpenSaves_CreateStore_FullMethodName, createStoreRequest, readStore),
	metric.GetStore:              unary(api.OpenSaves_GetStore_FullMethodName, getStoreRequest, readStore),
	metric.ListStores:            unary(api.OpenSaves_ListStores_FullMethodName, listStoresRequest, readStores),
	metric.DeleteStore:           unary(api.OpenSaves_DeleteStore_FullMethodName, deleteStoreRequest, nothing[empty]),
	metric.CreateRecord:          unary(api.OpenSaves_CreateRecord_FullMethodName, createRecordRequest, readRecord),
	metric.GetRecord:             unary(api.OpenSaves_GetRecord_FullMethodName, getRecordRequest, readRecord),
	metric.UpdateRecord:          unary(api.OpenSaves_UpdateRecord_FullMethodName, updateRecordRequest, readRecord),
	metric.DeleteRecord:          unary(api.OpenSaves_DeleteRecord_FullMethodName, deleteRecordRequest, nothing[empty]),
	metric.GetRecords:            unary(api.OpenSaves_GetRecords_FullMethodName, getRecordsRequest, readResults),
	metric.QueryByOwner:          unary(api.OpenSaves_QueryRecords_FullMethodName, queryRequest, readRecords),
	metric.QueryByTag:            unary(api.OpenSaves_QueryRecords_FullMethodName, queryRequest, readRecords),
	metric.QueryByProperty:       unary(api.OpenSaves_QueryRecords_FullMethodName, queryRequest, readRecords),
	metric.CreateBlob:            createBlob,
	metric.GetBlob:               getBlob,
	metric.DeleteBlob:            unary(api.OpenSaves_DeleteBlob_FullMethodName, deleteBlobRequest, nothing[empty]),
	metric.CreateChunkedBlob:     unary(api.OpenSaves_CreateChunkedBlob_FullMethodName, createChunkedBlobRequest, readSession),
	metric.UploadChunk:           uploadChunk,
	metric.CommitChunkedUpload:   unary(api.OpenSaves_CommitChunkedUpload_FullMethodName, commitRequest, readCommitted),
	metric.AbortChunkedUpload:    unary(api.OpenSaves_AbortChunkedUpload_FullMethodName, abortRequest, nothing[empty]),
	metric.GetBlobChunk:          getBlobChunk,
	metric.CreateChunkURLs:       unary(api.OpenSaves_CreateChunkUrls_FullMethodName, chunkURLsRequest, readURLs),
	metric.CompareAndSwap:        unary(api.OpenSaves_CompareAndSwap_FullMethodName, swapRequest, readSwapped),
	metric.CompareAndSwapGreater: unary(api.OpenSaves_CompareAndSwapGreaterInt_FullMethodName, intRequest, readInt),
	metric.CompareAndSwapLess:    unary(api.OpenSaves_CompareAndSwapLessInt_FullMethodName, intRequest, readInt),
	metric.AtomicAdd:             unary(api.OpenSaves_AtomicAddInt_FullMethodName, intRequest, readInt),
	metric.AtomicSub:             unary(api.OpenSaves_AtomicSubInt_FullMethodName, intRequest, readInt),
	metric.AtomicInc:             unary(api.OpenSaves_AtomicInc_FullMethodName, incRequest, readInt),
	metric.AtomicDec:             unary(api.OpenSaves_AtomicDec_FullMethodName, incRequest, readInt),
}

// callOptions tell that methods are of a closed set.
var callOptions = []grpc.CallOption{grpc.StaticMethod()}

// unary is a row with one request and one reply.
func unary[Request, Reply any, In message[Request], Out message[Reply]](
	method string, build func(*opensaves.Call) In, read func(*opensaves.Call, *opensaves.Answer, Out) error,
) operation {
	return func(a *attempt, conn *grpc.ClientConn) error {
		reply := Out(new(Reply))
		if err := conn.Invoke(a, method, build(a.call), reply, callOptions...); err != nil {
			return err
		}
		return read(a.call, a.answer, reply)
	}
}

// message is a pointer to a generated message.
type message[T any] interface {
	*T
	proto.Message
}
