package grpc

import (
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc/api"
)

// pieceBytes is the size of a content message; servers take up to 4 MiB.
const pieceBytes = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func createBlob(a *attempt, conn *grpc.ClientConn) error {
	stream, err := api.NewOpenSavesClient(conn).CreateBlob(a)
	if err != nil {
		return err
	}
	size, sum := measure(a.call.Content)
	first := &api.CreateBlobRequest{Request: &api.CreateBlobRequest_Metadata{Metadata: &api.BlobMetadata{
		StoreKey: a.call.Store, RecordKey: a.call.Key, Size: size, Crc32C: sum, HasCrc32C: true, Hint: hintOf(a.call.Hint),
	}}}
	blob, err := upload(stream, first, a.call.Content, func(piece []byte) *api.CreateBlobRequest {
		return &api.CreateBlobRequest{Request: &api.CreateBlobRequest_Content{Content: piece}}
	})
	if err == nil {
		fillBlob(a.answer, blob)
	}
	return err
}

func uploadChunk(a *attempt, conn *grpc.ClientConn) error {
	stream, err := api.NewOpenSavesClient(conn).UploadChunk(a)
	if err != nil {
		return err
	}
	size, sum := measure(a.call.Content)
	first := &api.UploadChunkRequest{Request: &api.UploadChunkRequest_Metadata{Metadata: &api.ChunkMetadata{
		SessionId: a.call.Session, Number: a.call.Chunk, Size: size, Crc32C: sum, HasCrc32C: true, Hint: hintOf(a.call.Hint),
	}}}
	_, err = upload(stream, first, a.call.Content, func(piece []byte) *api.UploadChunkRequest {
		return &api.UploadChunkRequest{Request: &api.UploadChunkRequest_Content{Content: piece}}
	})
	return err
}

// measure returns the size and the CRC-32C, which have to be sent ahead of the content.
func measure(content opensaves.Content) (size int64, sum uint32) {
	size = content.Size()
	for offset := int64(0); offset < size; {
		piece := content.Piece(offset, pieceBytes)
		sum = crc32.Update(sum, castagnoli, piece)
		offset += int64(len(piece))
	}
	return size, sum
}

// upload sends first and then the content. A server that ends early makes Send
// return io.EOF; the reason comes with the reply.
func upload[Request, Reply any](
	stream grpc.ClientStreamingClient[Request, Reply], first *Request, content opensaves.Content, wrap func([]byte) *Request,
) (*Reply, error) {
	err := stream.Send(first)
	for offset := int64(0); err == nil && offset < content.Size(); {
		piece := content.Piece(offset, pieceBytes)
		offset += int64(len(piece))
		err = stream.Send(wrap(piece))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	reply, err := stream.CloseAndRecv()
	if noReply(err) {
		return nil, status.Error(codes.Unknown, "the server ended the upload with OK and no reply")
	}
	return reply, err
}

// noReply recognizes what gRPC makes of a stream that ends with OK before its
// reply: upstream's way to say that the record of an inline blob is missing.
func noReply(err error) bool {
	s := status.Convert(err)
	return s.Code() == codes.Internal && strings.Contains(s.Message(), "received no response message")
}

func getBlob(a *attempt, conn *grpc.ClientConn) error {
	stream, err := api.NewOpenSavesClient(conn).GetBlob(a, &api.GetBlobRequest{
		StoreKey: a.call.Store, RecordKey: a.call.Key, Hint: hintOf(a.call.Hint),
	})
	if err != nil {
		return err
	}
	return download(a, stream, func(reply *api.GetBlobResponse) ([]byte, bool) {
		if blob := reply.GetMetadata(); blob != nil {
			fillBlob(a.answer, blob)
			return nil, false
		}
		return reply.GetContent(), true
	})
}

func getBlobChunk(a *attempt, conn *grpc.ClientConn) error {
	stream, err := api.NewOpenSavesClient(conn).GetBlobChunk(a, &api.GetBlobChunkRequest{
		StoreKey: a.call.Store, RecordKey: a.call.Key, ChunkNumber: a.call.Chunk, Hint: hintOf(a.call.Hint),
	})
	if err != nil {
		return err
	}
	return download(a, stream, func(reply *api.GetBlobChunkResponse) ([]byte, bool) {
		if chunk := reply.GetMetadata(); chunk != nil {
			a.answer.Chunked = true
			a.answer.Record.BlobSize, a.answer.Record.Chunked = chunk.Size, true
			return nil, false
		}
		return reply.GetContent(), true
	})
}

// download hands the content of each message to the sink; a cut stream ends with a status of its own.
func download[Reply any](a *attempt, stream grpc.ServerStreamingClient[Reply], content func(*Reply) ([]byte, bool)) error {
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		piece, ok := content(reply)
		if !ok {
			continue
		}
		if a.answer.FirstByte.IsZero() {
			a.answer.FirstByte = time.Now()
		}
		a.answer.Size += int64(len(piece))
		if a.call.Sink != nil {
			if _, err := a.call.Sink.Write(piece); err != nil {
				return status.Errorf(codes.Internal, "handing on the blob: %v", err)
			}
		}
	}
}
