package exporter

import (
	_ "embed" // the description
	"net/http"
)

//go:embed openapi.yaml
var description []byte

// describe answers with what all paths take and answer, as OpenAPI writes it.
func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(description)
}
