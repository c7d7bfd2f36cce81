package rest

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) in one pass and in place: its strings share the
// buffer, in which escapes are resolved, so reading costs no memory. The first
// mistake sets bad and ends all loops; what was read until then is of no use.
// It forgives control characters in strings, and bytes that are no UTF-8, which
// are handed on as they are so that a changed answer shows.
type scanner struct {
	b     []byte
	i     int
	depth int
	bad   bool
}

// maxDepth bounds nesting and so the stack; our own answers nest four deep.
const maxDepth = 1000

func (s *scanner) fail() { s.bad, s.i = true, len(s.b) }

// peek returns the next byte that is no white space; 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) eat(c byte) bool {
	if s.peek() != c || s.i == len(s.b) {
		return false
	}
	s.i++
	return true
}

func (s *scanner) word(w string) bool {
	if s.peek(); !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		return false
	}
	s.i += len(w)
	return true
}

// object calls field with each key; field must read the value. null has no fields.
func (s *scanner) object(field func(key string)) {
	s.each('{', '}', func() {
		if s.peek() != '"' {
			s.fail()
		}
		key := s.string()
		if !s.eat(':') {
			s.fail()
		}
		field(key)
	})
}

// array calls item for each item; item must read it. null has no items.
func (s *scanner) array(item func()) { s.each('[', ']', item) }

func (s *scanner) each(open, shut byte, one func()) {
	if s.word("null") {
		return
	}
	if s.depth++; !s.eat(open) || s.depth > maxDepth {
		s.fail()
		return
	}
	for more := !s.eat(shut); more && !s.bad; more = s.eat(',') {
		if one(); s.eat(shut) {
			break
		}
		if s.peek() != ',' {
			s.fail()
		}
	}
	s.depth--
}

// string reads a string, or null as an empty one.
func (s *scanner) string() string {
	if s.word("null") {
		return ""
	}
	if !s.eat('"') {
		s.fail()
		return ""
	}
	rest := s.b[s.i:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		s.fail()
		return ""
	}
	escape := bytes.IndexByte(rest[:end], '\\')
	if escape < 0 {
		s.i += end + 1
		return text(rest[:end])
	}
	return s.unescape(s.i, s.i+escape)
}

// unescape reads on at an escape, writing behind itself: what an escape stands for is never longer.
func (s *scanner) unescape(start, i int) string {
	w := i
	for i < len(s.b) && s.b[i] != '"' {
		if s.b[i] != '\\' {
			s.b[w] = s.b[i]
			i, w = i+1, w+1
			continue
		}
		r, n := escaped(s.b[i:])
		if n == 0 {
			break
		}
		i, w = i+n, w+utf8.EncodeRune(s.b[w:i+n], r)
	}
	if i >= len(s.b) || s.b[i] != '"' {
		s.fail()
		return ""
	}
	s.i = i + 1
	return text(s.b[start:w])
}

// escaped returns the character of the escape at the start of b and the escape's length, 0 if it is none.
func escaped(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	high, ok := unit(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 6
	}
	if low, ok := unit(b[6:]); ok {
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

// unit reads \uXXXX.
func unit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n := rune(0)
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	return n, true
}

// number reads a number; ok says that it is an integer that float64 and int64 both hold.
func (s *scanner) number() (n int64, ok bool) {
	start := s.i
	for s.i < len(s.b) && (s.b[s.i]-'0' <= 9 || bytes.IndexByte([]byte("+-.eE"), s.b[s.i]) >= 0) {
		s.i++
	}
	digits := s.b[start:s.i]
	if !isNumber(digits) {
		s.fail()
		return 0, false
	}
	if bytes.ContainsAny(digits, ".eE") {
		f, err := strconv.ParseFloat(text(digits), 64)
		n = int64(f)
		return n, err == nil && f >= -1<<53 && f <= 1<<53 && float64(n) == f
	}
	n, err := strconv.ParseInt(text(digits), 10, 64)
	return n, err == nil
}

// isNumber holds b, made of digits, signs, points and e, to JSON's grammar.
func isNumber(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n]-'0' <= 9 {
			n++
		}
		b = b[n:]
		return n > 0
	}
	b = bytes.TrimPrefix(b, []byte("-"))
	if len(b) > 1 && b[0] == '0' && b[1]-'0' <= 9 || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		if b = b[1:]; len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(b) == 0
}

// skip reads any value.
func (s *scanner) skip() {
	switch c := s.peek(); {
	case c == '"':
		s.string()
	case c == '{':
		s.object(func(string) { s.skip() })
	case c == '[':
		s.array(s.skip)
	case c == '-' || c-'0' <= 9:
		s.number()
	case !s.word("true") && !s.word("false") && !s.word("null"):
		s.fail()
	}
}
