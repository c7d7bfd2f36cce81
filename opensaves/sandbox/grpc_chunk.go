package sandbox

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

// sessionSize estimates the item of an upload or of a chunk, in bytes. The AWS
// port has neither; they are metered in the table of metadata.
const sessionSize = 250

func onObjects(op metric.Operation, h *api.Hint) *call {
	c := onDatabase(op, h)
	c.touches |= fault.S3
	return c
}

func (v *service) CreateChunkedBlob(ctx context.Context, in *api.CreateChunkedBlobRequest) (*api.CreateChunkedBlobResponse, error) {
	return run(ctx, v.sandbox, onDatabase(metric.CreateChunkedBlob, nil), func(how manner) (*api.CreateChunkedBlobResponse, error) {
		at := recordKey{in.GetStoreKey(), in.GetRecordKey()}
		if _, err := v.database.read(at, manner{usage: how.usage}); err != nil {
			return nil, status.Errorf(codes.FailedPrecondition, "record (%s) was not found", at.key)
		}
		u := &upload{session: uuid.NewString(), at: at, announced: in.GetChunkCount(), chunks: map[int64]chunk{}}
		v.database.uploads.lend(u.session, u, how.now.Add(uploadTTL))
		how.wrote(aws.Metadata, aws.PutItem, 0, sessionSize)
		return &api.CreateChunkedBlobResponse{SessionId: u.session}, nil
	})
}

// session finds an upload.
func (d *database) session(id string) (*upload, error) {
	if _, err := uuid.Parse(id); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "session_id is no UUID: %v", err)
	}
	u, ok := d.uploads.get(id)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "session (%s) was not found", id)
	}
	return u, nil
}

func (v *service) UploadChunk(stream grpc.ClientStreamingServer[api.UploadChunkRequest, api.ChunkMetadata]) error {
	first, err := stream.Recv()
	meta := first.GetMetadata()
	if meta == nil && (err == nil || errors.Is(err, io.EOF)) {
		return status.Error(codes.InvalidArgument, "the first message must be metadata")
	}
	if err != nil {
		return err
	}
	u, err := v.database.session(meta.GetSessionId())
	if err != nil {
		return err
	}
	piece, err := v.receiveChunk(stream, meta)
	if err != nil {
		return err
	}
	_, err = run(stream.Context(), v.sandbox, onObjects(metric.UploadChunk, meta.GetHint()), func(how manner) (*upload, error) {
		how.got(aws.Metadata, sessionSize)
		how.meter.Upload(len(piece.content), how.waited(fault.S3))
		how.wrote(aws.Metadata, aws.PutItem, 0, sessionSize)
		return u, u.put(meta.GetNumber(), piece, how)
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(piece.metadata(u.session, meta.GetNumber()))
}

func (v *service) receiveChunk(stream grpc.ClientStreamingServer[api.UploadChunkRequest, api.ChunkMetadata], meta *api.ChunkMetadata) (chunk, error) {
	content, err := collect(v.sandbox.config.MaxBody, func() ([]byte, error) {
		m, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if _, ok := m.GetRequest().(*api.UploadChunkRequest_Content); !ok {
			return nil, errNoContent
		}
		return m.GetContent(), nil
	})
	switch {
	case errors.Is(err, errTooLong):
		return chunk{}, errTooLarge
	case err != nil:
		return chunk{}, err
	}
	piece := chunk{content, sumsOf(content)}
	if !piece.sums.match(meta) {
		return chunk{}, errChecksum
	}
	return piece, nil
}

// put stores a chunk, in place of another of its number; upstream lets that
// happen after the commit, too.
func (u *upload) put(number int64, piece chunk, how manner) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return status.Errorf(codes.NotFound, "session (%s) was not found", u.session)
	}
	if how.applies() {
		u.chunks[number] = piece
	}
	return nil
}

func (c chunk) metadata(session string, number int64) *api.ChunkMetadata {
	return &api.ChunkMetadata{
		SessionId: session, Number: number, Size: int64(len(c.content)),
		Md5: c.sums.md5[:], Crc32C: c.sums.crc, HasCrc32C: true,
	}
}

func (v *service) CommitChunkedUpload(ctx context.Context, in *api.CommitChunkedUploadRequest) (*api.BlobMetadata, error) {
	return run(ctx, v.sandbox, onDatabase(metric.CommitChunkedUpload, in.GetHint()), func(how manner) (*api.BlobMetadata, error) {
		u, err := v.database.session(in.GetSessionId())
		how.got(aws.Metadata, sessionSize)
		if err != nil {
			return nil, err
		}
		if err := checkRecord(in.GetRecord()); err != nil {
			return nil, err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.blob != nil {
			return u.blob.metadata(u.at), nil
		}
		if err := u.complete(); err != nil {
			return nil, err
		}
		return v.database.commit(u, in.GetRecord(), how)
	})
}

// complete refuses an upload that cannot be committed. The caller holds its lock.
func (u *upload) complete() error {
	if n := int64(len(u.chunks)); u.ended || u.announced != 0 && n != u.announced {
		return status.Errorf(codes.FailedPrecondition, "session (%s) has %d chunks, want %d of a pending upload", u.session, n, u.announced)
	}
	return nil
}

// commit makes an upload its record's blob, and the record what m says if it is
// there. The caller holds the upload's lock.
func (d *database) commit(u *upload, m *api.Record, how manner) (*api.BlobMetadata, error) {
	b := &blob{upload: u, count: int64(len(u.chunks))}
	for _, piece := range u.chunks {
		b.size += int64(len(piece.content))
	}
	_, err := d.write(u.at.store, u.at.key, how, func(at place) (*record, error) {
		if at.old == nil {
			return nil, noRecord(u.at.key)
		}
		next := at.base(how).next(how)
		if m != nil {
			var err error
			if next, err = at.updated(u.at.key, m, how); err != nil {
				return nil, err
			}
		}
		next.blob = b
		return next, nil
	})
	if err != nil {
		return nil, err
	}
	how.wrote(aws.Metadata, aws.PutItem, sessionSize, sessionSize)
	if how.applies() {
		u.blob = b
		d.uploads.set(u.session, u)
	}
	return b.metadata(u.at), nil
}

func (v *service) AbortChunkedUpload(ctx context.Context, in *api.AbortChunkedUploadRequest) (*emptypb.Empty, error) {
	return run(ctx, v.sandbox, onObjects(metric.AbortChunkedUpload, nil), func(how manner) (*emptypb.Empty, error) {
		u, err := v.database.session(in.GetSessionId())
		how.got(aws.Metadata, sessionSize)
		if err != nil {
			return nil, err
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.ended || u.blob != nil {
			return nil, status.Errorf(codes.FailedPrecondition, "session (%s) is not pending", u.session)
		}
		u.ended, u.chunks = true, nil
		v.database.uploads.lend(u.session, u, how.now.Add(abortedTTL))
		how.wrote(aws.Metadata, aws.PutItem, sessionSize, sessionSize)
		return &emptypb.Empty{}, nil
	})
}
