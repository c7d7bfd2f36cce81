package sandbox

import (
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"opensaves-soak/opensaves/grpc/api"
)

// content is what a version of a record holds. Nothing in it is ever changed.
type content struct {
	store, key  string
	owner, game string
	tags        []string
	document    []byte                   // properties as REST has them: a JSON object, or nil
	properties  map[string]*api.Property // as gRPC has them; only one of the two is set
	opaque      string
	signature   [16]byte
	created     time.Time
	updated     time.Time
	expires     *timestamppb.Timestamp
	names       []string // of REST's blobs
	blob        *blob    // gRPC's
	answered    int64    // the old value that the last atomic sum was answered with
}

// record is a version with its encodings, made when first asked for.
type record struct {
	content

	restOnce sync.Once
	restForm form
	grpcOnce sync.Once
	grpcForm *api.Record
}

// rest returns the version as REST writes it.
func (r *record) rest() *form {
	r.restOnce.Do(func() { r.restForm = newForm(&r.content) })
	return &r.restForm
}

// message returns the version as gRPC sends it; it is shared and must not be changed.
func (r *record) message() *api.Record {
	r.grpcOnce.Do(func() { r.grpcForm = newMessage(&r.content) })
	return r.grpcForm
}

// typed returns the properties as gRPC has them.
func (r *record) typed() map[string]*api.Property { return r.message().GetProperties() }

// next returns the version that follows, to be changed before it is stored.
func (r *record) next(how manner) *record {
	n := &record{content: r.content}
	n.updated, n.signature = how.now, how.sign()
	return n
}

func newMessage(c *content) *api.Record {
	m := &api.Record{
		Key: c.key, OwnerId: c.owner, Tags: c.tags, OpaqueString: c.opaque,
		Properties: c.properties,
		CreatedAt:  timestamppb.New(c.created.Truncate(time.Microsecond)),
		UpdatedAt:  timestamppb.New(c.updated.Truncate(time.Microsecond)),
		ExpiresAt:  c.expires,
		Signature:  c.signature[:],
	}
	if c.properties == nil {
		m.Properties = propertiesOf(c.document)
	}
	if c.blob != nil {
		m.BlobSize, m.Chunked, m.ChunkCount = c.blob.size, c.blob.upload != nil, c.blob.count
	}
	return m
}

// form is a version as JSON. A list shows it whole; REST on DynamoDB shows a
// single record without owner and game, which stand between from and to.
type form struct {
	json     []byte
	from, to int
}

func newForm(c *content) form {
	document := c.document
	if document == nil {
		document = documentOf(c.properties)
	}
	b := make([]byte, 0, 192+len(c.store)+len(c.key)+len(document)+32*(len(c.tags)+len(c.names)))
	b = appendString(append(b, `{"store_id":`...), c.store)
	b = appendString(append(b, `,"record_id":`...), c.key)
	f := form{from: len(b)}
	b = appendField(b, `,"owner_id":`, c.owner)
	b = appendField(b, `,"game_id":`, c.game)
	f.to = len(b)
	b = appendStrings(b, `,"tags":`, c.tags)
	if len(document) > 0 {
		b = append(append(b, `,"properties":`...), document...)
	}
	b = appendStrings(b, `,"blob_keys":`, c.names)
	b = append(b, `,"created_at":"`...)
	b = c.created.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `","updated_at":"`...)
	b = c.updated.UTC().AppendFormat(b, time.RFC3339)
	f.json = append(b, `"}`...)
	return f
}
