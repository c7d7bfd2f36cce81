package ledger

import "bytes"

// Content is what one version of a blob holds: a header and filling. It is made on the fly and shares its memory with all
// other blobs.
type Content struct {
	size  int64
	start int64
	head  int
	text  [112]byte
}

// Set makes c the content of a version of an object, size bytes long, at least MinContent.
func (c *Content) Set(o *Object, version uint32, size int64) {
	h := Header{Key: o.Key, Version: version, Length: size}
	head := h.Append(c.text[:0])
	c.size, c.head = size, len(head)
	c.start = int64(Hash(o.Number, version) % starts)
}

// Size is the length in bytes.
func (c *Content) Size() int64 { return c.size }

// Piece returns at least one and at most limit bytes from offset, which is below Size.
func (c *Content) Piece(offset int64, limit int) []byte {
	limit = int(min(int64(limit), c.size-offset))
	if offset < int64(c.head) {
		piece := c.text[offset:c.head]
		return piece[:min(len(piece), limit)]
	}
	start := (c.start + offset) % starts
	return bytesOf(filling)[start : start+min(int64(limit), starts-start)]
}

// Checker compares a blob with what it should hold while it comes in. It is an
// io.Writer that never fails.
type Checker struct {
	object  *Object
	content Content
	seen    Seen
	at      int64
	known   bool
	differs bool
	head    []byte
}

// Reset prepares the checker for a blob of an object.
func (c *Checker) Reset(o *Object) {
	*c = Checker{object: o, head: c.head[:0]}
}

// MinContent is the shortest that a content may be, in bytes: a header and some
// filling, so that no two contents are alike.
const MinContent = 128

// longest is more than any header takes.
const longest = 112

// Write takes the next bytes of the blob.
func (c *Checker) Write(p []byte) (int, error) {
	n := len(p)
	if !c.known {
		take := min(longest-len(c.head), n)
		c.head = append(c.head, p[:take]...)
		p = p[take:]
		if len(c.head) < longest {
			return n, nil
		}
		c.identify()
	}
	c.compare(p)
	return n, nil
}

// identify finds out from the first bytes which version this is.
func (c *Checker) identify() {
	c.known = true
	h, _, ok := ParseHeader(string(c.head))
	switch {
	case !ok:
		c.seen.Fault = "no header"
	case h.Key != c.object.Key:
		c.seen.Fault = "the key of another object"
	default:
		c.seen.Version = h.Version
		c.content.Set(c.object, h.Version, h.Length)
		c.compare(c.head)
	}
}

func (c *Checker) compare(p []byte) {
	for len(p) > 0 && !c.differs && c.seen.Fault == "" {
		if c.at >= c.content.size {
			c.differs = true
			return
		}
		piece := c.content.Piece(c.at, len(p))
		c.differs = !bytes.Equal(piece, p[:len(piece)])
		c.at += int64(len(piece))
		p = p[len(piece):]
	}
}

// Seen is what the blob, now complete, showed.
func (c *Checker) Seen() Seen {
	if !c.known {
		c.identify()
	}
	switch {
	case c.seen.Fault != "":
	case c.differs:
		c.seen.Fault = "bytes that are not this version's"
	case c.at != c.content.size:
		c.seen.Fault = "another length than this version's"
	}
	return c.seen
}
