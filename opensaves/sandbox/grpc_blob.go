package sandbox

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/fault"
)

// bufferSize is the most content that upstream puts into one message.
const bufferSize = 1 << 20

// collect takes content from a stream until it ends or exceeds limit, which is
// errTooLong. A single piece is not copied.
func collect(limit int64, next func() ([]byte, error)) ([]byte, error) {
	var pieces [][]byte
	size := int64(0)
	for {
		piece, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return join(pieces), nil
		case err != nil:
			return nil, err
		}
		if size += int64(len(piece)); size > limit {
			return nil, errTooLong
		}
		pieces = append(pieces, piece)
	}
}

var (
	errTooLong   = errors.New("more content than announced")
	errNoContent = status.Error(codes.InvalidArgument, "a message without content")
	errTooLarge  = status.Error(codes.ResourceExhausted, "more content than the server takes")
	errChecksum  = status.Error(codes.DataLoss, "a checksum does not match the content")
)

func join(pieces [][]byte) []byte {
	if len(pieces) == 1 {
		return pieces[0]
	}
	return slices.Concat(pieces...)
}

func (v *service) CreateBlob(stream grpc.ClientStreamingServer[api.CreateBlobRequest, api.BlobMetadata]) error {
	first, err := stream.Recv()
	meta := first.GetMetadata()
	if (err == nil || errors.Is(err, io.EOF)) && (meta == nil || meta.GetSize() < 0) {
		return status.Error(codes.InvalidArgument, "the first message must be metadata")
	}
	if err != nil {
		return err
	}
	content, err := v.receive(stream, meta)
	if err != nil {
		return err
	}
	c := onDatabase(metric.CreateBlob, meta.GetHint())
	b := newBlob(content)
	if b.external() {
		c.touches |= fault.S3
	}
	if !b.sums.match(meta) {
		return errChecksum
	}
	_, err = run(stream.Context(), v.sandbox, c, func(how manner) (*record, error) {
		if b.external() {
			how.meter.Upload(len(content), how.waited(fault.S3))
		}
		return v.database.attach(recordKey{meta.GetStoreKey(), meta.GetRecordKey()}, b.stored(how), how)
	})
	switch {
	case errors.Is(err, errNoRecord) && b.external():
		return status.Errorf(codes.FailedPrecondition, "record (%s) was not found", meta.GetRecordKey())
	case errors.Is(err, errNoRecord):
		return nil // upstream's bug: the stream ends well, without an answer
	case err != nil:
		return err
	}
	return stream.SendAndClose(meta)
}

// receive takes exactly the announced bytes.
func (v *service) receive(stream grpc.ClientStreamingServer[api.CreateBlobRequest, api.BlobMetadata], meta *api.BlobMetadata) ([]byte, error) {
	if meta.GetSize() > v.sandbox.config.MaxBody {
		return nil, errTooLarge
	}
	content, err := collect(meta.GetSize(), func() ([]byte, error) {
		m, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if _, ok := m.GetRequest().(*api.CreateBlobRequest_Content); !ok {
			return nil, errNoContent
		}
		return m.GetContent(), nil
	})
	if err == nil && int64(len(content)) == meta.GetSize() {
		return content, nil
	}
	if err != nil && !errors.Is(err, errTooLong) {
		return nil, err
	}
	if meta.GetSize() <= maxInline {
		return nil, status.Errorf(codes.InvalidArgument, "got other than %d bytes", meta.GetSize())
	}
	return nil, status.Errorf(codes.DataLoss, "got other than %d bytes", meta.GetSize())
}

// attach makes a blob the record's, nil removes it.
func (d *database) attach(to recordKey, b *blob, how manner) (*record, error) {
	return d.write(to.store, to.key, how, func(at place) (*record, error) {
		if at.old == nil {
			return nil, errNoRecord
		}
		next := at.base(how).next(how)
		next.blob = b
		return next, nil
	})
}

func (v *service) GetBlob(in *api.GetBlobRequest, stream grpc.ServerStreamingServer[api.GetBlobResponse]) error {
	at := recordKey{in.GetStoreKey(), in.GetRecordKey()}
	c := v.onRead(metric.GetBlob, at, in.GetHint())
	if v.sandbox.plan.Load() != nil && v.database.external(at) {
		c.touches |= fault.S3
	}
	b, err := run(stream.Context(), v.sandbox, c, func(how manner) (*blob, error) {
		r, err := v.database.read(at, how)
		if err != nil {
			return nil, noRecord(at.key)
		}
		if r.blob != nil && r.blob.external() && r.blob.upload == nil {
			how.meter.Download(len(r.blob.content), how.waited(fault.S3))
		}
		return r.blob.toSend(how), nil
	})
	if err != nil {
		return err
	}
	if err := stream.Send(&api.GetBlobResponse{Response: &api.GetBlobResponse_Metadata{Metadata: b.metadata(at)}}); err != nil {
		return err
	}
	if b.upload != nil {
		return status.Error(codes.Unknown, "object was not found") // upstream's way to say that it is chunked
	}
	return buffers(b.content, func(piece []byte) error {
		return stream.Send(&api.GetBlobResponse{Response: &api.GetBlobResponse_Content{Content: piece}})
	})
}

// external says whether a record's blob is an object of its own.
func (d *database) external(at recordKey) bool {
	r, err := d.read(at, manner{})
	return err == nil && r.blob != nil && r.blob.external()
}

// toSend returns the blob as a read shows it; none is one of no bytes.
func (b *blob) toSend(how manner) *blob {
	if b == nil {
		return &blob{}
	}
	if how.lie == fault.Corrupt {
		wrong := *b
		wrong.content = spoiled(b.content)
		return &wrong
	}
	return b
}

func (b *blob) metadata(at recordKey) *api.BlobMetadata {
	m := &api.BlobMetadata{StoreKey: at.store, RecordKey: at.key, Size: b.size, Chunked: b.upload != nil, ChunkCount: b.count}
	if b.upload == nil && b.content != nil {
		m.Md5, m.Crc32C, m.HasCrc32C = b.sums.md5[:], b.sums.crc, true
	}
	return m
}

// buffers sends content in pieces, at least one.
func buffers(content []byte, send func([]byte) error) error {
	for {
		n := min(len(content), bufferSize)
		if err := send(content[:n]); err != nil {
			return err
		}
		if content = content[n:]; len(content) == 0 {
			return nil
		}
	}
}

func (v *service) DeleteBlob(ctx context.Context, in *api.DeleteBlobRequest) (*emptypb.Empty, error) {
	c := onDatabase(metric.DeleteBlob, in.GetHint())
	c.touches, c.failures = c.touches|fault.S3, removed
	return run(ctx, v.sandbox, c, func(how manner) (*emptypb.Empty, error) {
		_, err := v.database.write(in.GetStoreKey(), in.GetRecordKey(), how, func(at place) (*record, error) {
			switch {
			case at.old == nil:
				return nil, noRecord(in.GetRecordKey())
			case at.old.blob == nil || at.old.blob.size == 0 && !at.old.blob.external():
				return nil, status.Errorf(codes.FailedPrecondition, "record (%s) has no blob", in.GetRecordKey())
			}
			next := at.old.next(how)
			next.blob = nil
			return next, nil
		})
		return &emptypb.Empty{}, err
	})
}
