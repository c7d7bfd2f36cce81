// Package api is the generated client and server of Open Saves' gRPC service.
// Change opensaves.proto and run "make generate".
package api

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative opensaves.proto
