package sandbox

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

// chunked returns the upload behind a record's blob.
func (d *database) chunked(at recordKey, how manner) (*upload, error) {
	r, err := d.read(at, how)
	switch {
	case err != nil:
		return nil, noRecord(at.key)
	case r.blob == nil || !r.blob.external():
		return nil, status.Errorf(codes.FailedPrecondition, "record (%s) has no external blob", at.key)
	case r.blob.upload == nil:
		return nil, status.Errorf(codes.NotFound, "the blob of record (%s) has no chunks", at.key)
	}
	return r.blob.upload, nil
}

func (v *service) GetBlobChunk(in *api.GetBlobChunkRequest, stream grpc.ServerStreamingServer[api.GetBlobChunkResponse]) error {
	number := in.GetChunkNumber()
	var session string
	piece, err := run(stream.Context(), v.sandbox, onObjects(metric.GetBlobChunk, in.GetHint()), func(how manner) (chunk, error) {
		u, err := v.database.chunked(recordKey{in.GetStoreKey(), in.GetRecordKey()}, how)
		if err != nil {
			return chunk{}, err
		}
		session = u.session
		piece, err := u.read(number, how)
		how.got(aws.Metadata, sessionSize)
		if err == nil {
			how.meter.Download(len(piece.content), how.waited(fault.S3))
		}
		return piece, err
	})
	if err != nil {
		return err
	}
	meta := piece.metadata(session, number)
	if err := stream.Send(&api.GetBlobChunkResponse{Response: &api.GetBlobChunkResponse_Metadata{Metadata: meta}}); err != nil {
		return err
	}
	return buffers(piece.content, func(content []byte) error {
		return stream.Send(&api.GetBlobChunkResponse{Response: &api.GetBlobChunkResponse_Content{Content: content}})
	})
}

func (u *upload) read(number int64, how manner) (chunk, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	piece, ok := u.chunks[number]
	if !ok {
		return chunk{}, status.Errorf(codes.NotFound, "chunk %d was not found", number)
	}
	if how.lie == fault.Corrupt {
		piece.content = spoiled(piece.content)
	}
	return piece, nil
}

func (v *service) CreateChunkUrls(ctx context.Context, in *api.CreateChunkUrlsRequest) (*api.CreateChunkUrlsResponse, error) {
	return run(ctx, v.sandbox, uncached(metric.CreateChunkURLs), func(how manner) (*api.CreateChunkUrlsResponse, error) {
		u, err := v.database.chunked(recordKey{in.GetStoreKey(), in.GetKey()}, how)
		if err != nil {
			return nil, err
		}
		how.got(aws.Metadata, sessionSize)
		return &api.CreateChunkUrlsResponse{ChunkUrls: v.sandbox.addresses(authority(ctx), u, in.GetTtlInSeconds())}, nil
	})
}

// authority returns the name by which the client called us.
func authority(ctx context.Context) string {
	if names := metadata.ValueFromIncomingContext(ctx, ":authority"); len(names) > 0 {
		return names[0]
	}
	return "localhost"
}
