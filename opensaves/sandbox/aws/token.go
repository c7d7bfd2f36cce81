package aws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
)

// token says where a page of a request begins.
type token struct {
	Request uint64
	At      json.RawMessage
}

// seal makes the token of the page of a request that begins at a position.
func seal(request, position any) (string, error) {
	at, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	text, err := json.Marshal(token{fingerprint(request), at})
	if err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// unseal reads into position where the page begins that a token is of, and says
// whether it is a token of the request. The empty one leaves position as it is.
func unseal(sealed string, request, position any) bool {
	if sealed == "" {
		return true
	}
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return false
	}
	var t token
	if json.Unmarshal(text, &t) != nil || t.Request != fingerprint(request) {
		return false
	}
	return json.Unmarshal(t.At, position) == nil
}

// fingerprint tells requests apart, for AWS refuses a token with another request
// than the one that it was given for.
func fingerprint(request any) uint64 {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%+v", request)
	return sum.Sum64()
}
