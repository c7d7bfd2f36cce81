package scenario

import (
	"strconv"
	"unsafe"

	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// Properties that the tester sets itself.
const (
	versionProperty = "version"
	seasonProperty  = "season"  // what query_by_property asks for
	counterProperty = "counter" // what atomic operations change; no part of the content
	opaqueProperty  = "opaque"
)

var reserved = []string{versionProperty, seasonProperty, counterProperty, opaqueProperty, "owner_id", "game_id"}

const (
	games   = 5
	seasons = 100 // so many that an answer to query_by_property has room for all that match
)

// The letters that keep kinds of fields apart in the sum over a record.
const (
	sumOwner    = 'o'
	sumGame     = 'g'
	sumTag      = 't'
	sumProperty = 'p'
	sumBody     = 'b'
)

// content makes records from key and version, and reads back which version one
// shows. It never changes once made.
type content struct {
	shapes       *templates
	owners, tags []string
	games        []string
	sizes        sizes
}

func newContent(data DataConfig, run string) (*content, error) {
	shapes, err := loadTemplates(data.Templates)
	if err != nil {
		return nil, err
	}
	name := func(what string, n int) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = what + "-" + run + "-" + strconv.Itoa(i)
		}
		return names
	}
	return &content{
		shapes: shapes, sizes: newSizes(data.RecordBytes),
		owners: name("player", data.Owners), tags: name("tag", data.Tags), games: name("game", games),
	}, nil
}

func (c *content) owner(o *ledger.Object) string {
	return c.owners[ledger.Hash(o.Number, 0)%uint64(len(c.owners))]
}

func (c *content) game(o *ledger.Object) string { return c.games[o.Number%games] }

func (c *content) season(o *ledger.Object) int64 { return int64(o.Number % seasons) }

func (c *content) tag(o *ledger.Object, version uint32) string {
	return c.tags[ledger.Hash(o.Number, version)%uint64(len(c.tags))]
}

// arena builds texts that live until it is used for the next record.
type arena struct {
	b     []byte
	hints []byte // for other replicas, which go into the next record
}

// text returns what make appends, sharing the arena's memory.
func (a *arena) text(build func([]byte) []byte) string {
	start := len(a.b)
	a.b = build(a.b)
	return unsafe.String(unsafe.SliceData(a.b[start:]), len(a.b)-start)
}

func (a *arena) versioned(s string, version uint32) string {
	return a.text(func(b []byte) []byte {
		b = append(b, s...)
		return strconv.AppendUint(append(b, '~'), uint64(version), 10)
	})
}

// properties appends those of a version to ps: the template's, the version in
// every one that has room for it.
func (c *content) properties(ps []opensaves.Property, a *arena, o *ledger.Object, version uint32) []opensaves.Property {
	for _, p := range c.shapes.records[ledger.Hash(o.Number, 0)%uint64(len(c.shapes.records))] {
		switch p.Kind {
		case opensaves.String:
			p.Str = a.versioned(p.Str, version)
		case opensaves.Integer:
			p.Int += int64(version)
		}
		ps = append(ps, p)
	}
	return append(ps,
		opensaves.Property{Name: versionProperty, Value: opensaves.Value{Kind: opensaves.Integer, Int: int64(version)}},
		opensaves.Property{Name: seasonProperty, Value: opensaves.Value{Kind: opensaves.Integer, Int: c.season(o)}})
}

// size is the length of a version's opaque text, in bytes.
func (c *content) size(o *ledger.Object, version uint32) int64 {
	return c.sizes.at(ledger.Hash(o.Number, version))
}

// record makes a version of a record in r, whose memory it uses again.
func (c *content) record(r *opensaves.Record, a *arena, o *ledger.Object, version uint32) {
	a.b = a.b[:0]
	r.Store, r.Key = o.Parent.Key, o.Key
	r.Owner, r.Game = c.owner(o), c.game(o)
	r.Tags = append(r.Tags[:0], c.tag(o, version), a.versioned("v", version))
	r.Properties = c.properties(r.Properties[:0], a, o, version)
	r.Opaque = c.opaque(a, sum(r), o, version)
}

// metadata makes a version of a metadata entry in r.
func (c *content) metadata(r *opensaves.Record, a *arena, o *ledger.Object, version uint32) {
	a.b, a.hints = a.b[:0], a.hints[:0]
	r.Tags, r.Owner, r.Game, r.Opaque = r.Tags[:0], "", "", ""
	r.Properties = c.properties(r.Properties[:0], a, o, version)
	opaque := c.opaque(a, sum(r), o, version)
	r.Properties = append(r.Properties, opensaves.Property{Name: opaqueProperty, Value: opensaves.Value{Kind: opensaves.String, Str: opaque}})
}

// opaque is the header with the sum of all fields, its own filling included.
func (c *content) opaque(a *arena, s ledger.Sum, o *ledger.Object, version uint32) string {
	h := ledger.Header{Key: o.Key, Version: version, Length: c.size(o, version)}
	var scratch [128]byte
	widest := len(ledger.Header{Key: h.Key, Version: version, Length: h.Length, Sum: 1<<32 - 1}.Append(scratch[:0]))
	filling := ledger.Filling(ledger.Hash(o.Number, version), max(0, int(h.Length)-widest))
	if n := len(a.hints); n > 0 && n <= len(filling) {
		filling = a.text(func(b []byte) []byte { return append(append(b, a.hints...), filling[n:]...) })
	}
	s.Add(sumBody, "", filling)
	h.Sum = uint32(s)
	return a.text(func(b []byte) []byte { return append(h.Append(b), filling...) })
}

// sum is over all fields of a record but its opaque text.
func sum(r *opensaves.Record) (s ledger.Sum) {
	s.Add(sumOwner, "", r.Owner)
	s.Add(sumGame, "", r.Game)
	for i, tag := range r.Tags {
		s.Add(sumTag+byte(i)<<1, "", tag)
	}
	for i := range r.Properties {
		addProperty(&s, &r.Properties[i])
	}
	return s
}

func addProperty(s *ledger.Sum, p *opensaves.Property) {
	kind := sumProperty + byte(p.Kind)
	switch {
	case p.Name == counterProperty, p.Name == opaqueProperty:
	case p.Kind == opensaves.Integer:
		s.AddInt(kind, p.Name, p.Int)
	case p.Kind == opensaves.Boolean && p.Bool:
		s.AddInt(kind, p.Name, 1)
	default:
		s.Add(kind, p.Name, p.Str)
	}
}

// identify reads back whose content an answer shows, which version, and what is
// wrong with it in itself.
func identify(r *opensaves.Record) (h ledger.Header, fault string) {
	opaque := r.Opaque
	for i := range r.Properties {
		if opaque == "" && r.Properties[i].Name == opaqueProperty {
			opaque = r.Properties[i].Str
		}
	}
	h, filling, ok := ledger.ParseHeader(opaque)
	s := sum(r)
	s.Add(sumBody, "", filling)
	switch {
	case !ok:
		return h, "no header in the opaque text"
	case r.Key != "" && r.Key != h.Key:
		return h, "the key of another object"
	case uint32(s) != h.Sum:
		return h, "fields that are not this version's"
	}
	return h, ""
}

// see reads back which version of an object an answer shows.
func see(o *ledger.Object, r *opensaves.Record) ledger.Seen {
	h, fault := identify(r)
	switch {
	case fault != "":
	case h.Key != o.Key:
		fault = "the key of another object"
	case r.Store != "" && o.Parent != nil && r.Store != o.Parent.Key:
		fault = "the key of another store"
	}
	return ledger.Seen{Version: h.Version, Fault: fault}
}
