package rest

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"opensaves-soak/opensaves"
)

// FuzzScanner holds the scanner to encoding/json: what that takes, we take, with the same strings.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":"b"}`, `{"a":"\u00e9\ud83d\ude00\ud83d\n\"","b":null}`, ` [ 1 , -2.5e+3 , true, {"x":[]} ] `, `null`, `{"a":`, `[1,]`, `"\`,
		`01`, `1e`, `-`, `{"a" "b"}`, `nullx`, `{null:1}`, `"\ud83d\u0041"`, `tru`, `[[[[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var s scanner
		took := s.decode(&opensaves.Answer{Buffer: append([]byte(nil), body...)}, func(s *scanner, _ *opensaves.Answer) { s.skip() })
		if valid := json.Valid(body); valid && !took {
			t.Errorf("%q: got refused, want taken", body)
		} else if !valid && took && !json.Valid(spaces(body)) {
			t.Errorf("%q: got taken, want refused", body)
		}
		var want string
		if utf8.Valid(body) && json.Unmarshal(body, &want) == nil {
			s = scanner{b: append([]byte(nil), body...)}
			if got := s.string(); got != want {
				t.Errorf("%q: got %q, want %q", body, got, want)
			}
		}
	})
}

// spaces replaces control characters inside of strings only.
func spaces(body []byte) []byte {
	out, inside := append([]byte(nil), body...), false
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside && c < ' ':
			out[i] = ' '
		}
	}
	return out
}

func FuzzStringsSurvive(f *testing.F) {
	f.Add("a\"\\\n\x00é😀")
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		encoded := appendString(nil, s)
		var want string
		if err := json.Unmarshal(encoded, &want); err != nil || want != s {
			t.Errorf("%q: got %q and %v from encoding/json", s, want, err)
		}
		if got := (&scanner{b: encoded}).string(); got != s {
			t.Errorf("%q: got %q", s, got)
		}
	})
}
