package aws

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"

	"github.com/aws/smithy-go/encoding/cbor"
)

// problem is an error of AWS.
type problem struct {
	status  int // of HTTP
	code    string
	message string
}

func (p *problem) Error() string { return p.code + ": " + p.message }

// refused is the problem of a request that is not as it must be.
func refused(code, format string, args ...any) *problem {
	return &problem{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// protocol is how a service writes.
type protocol struct {
	contentType string
	encode      func(any) ([]byte, error)
	problem     func(*problem) any // what encode takes
	unknown     string             // the code of a request for an action that is not offered
}

var (
	rpcCBOR  = &protocol{"application/cbor", encodeCBOR, problemCBOR, "UnknownOperationException"}
	json10   = &protocol{"application/x-amz-json-1.0", json.Marshal, problemJSON, "UnknownOperationException"}
	json11   = &protocol{"application/x-amz-json-1.1", json.Marshal, problemJSON, "UnknownOperationException"}
	queryXML = &protocol{"text/xml", encodeXML, problemQuery, "InvalidAction"}
	queryEC2 = &protocol{"text/xml", encodeXML, problemEC2, "InvalidAction"}
	restXML  = &protocol{"application/xml", encodeXML, problemS3, "NotImplemented"}
)

// answer writes what an action came to, or its problem.
func (p *protocol) answer(w http.ResponseWriter, body []byte, status int) {
	w.Header().Set("Content-Type", p.contentType)
	if p == rpcCBOR {
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	}
	if p == json10 { // DynamoDB's clients check it
		w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	w.WriteHeader(status)
	w.Write(body)
}

func (p *protocol) refuse(w http.ResponseWriter, problem *problem) {
	body, err := p.encode(p.problem(problem))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	p.answer(w, body, problem.status)
}

func encodeXML(v any) ([]byte, error) {
	body, err := xml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding XML: %w", err)
	}
	return append([]byte(xml.Header), body...), nil
}

func encodeCBOR(v any) ([]byte, error) {
	value, ok := v.(cbor.Value)
	if !ok {
		return nil, fmt.Errorf("encoding CBOR: got %T, want a value", v)
	}
	return cbor.Encode(value), nil
}

func problemCBOR(p *problem) any {
	return cbor.Map{"__type": cbor.String(p.code), "message": cbor.String(p.message)}
}

func problemJSON(p *problem) any {
	return map[string]string{"__type": p.code, "message": p.message}
}

type xmlProblem struct {
	Code    string
	Message string
}

func problemQuery(p *problem) any {
	return struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   xmlProblem
	}{Error: xmlProblem{p.code, p.message}}
}

func problemEC2(p *problem) any {
	return struct {
		XMLName xml.Name   `xml:"Response"`
		Error   xmlProblem `xml:"Errors>Error"`
	}{Error: xmlProblem{p.code, p.message}}
}

func problemS3(p *problem) any {
	return struct {
		XMLName xml.Name `xml:"Error"`
		xmlProblem
	}{xmlProblem: xmlProblem{p.code, p.message}}
}
