// Package bench holds the program to its bars of speed and size: a sandbox, the
// daemon and, for comparison, a bare loop of net/http or grpc-go run as
// processes of their own over loopback, and every figure is a ratio or a bound
// within one run. It is all tests, and `go test ./...` runs only those of its
// arithmetic; `make bench` measures, on Linux, and prints a table in Markdown.
//
// The environment makes it longer, or shorter where only its working is in doubt:
//
//	BENCH_PAIRS=9            pairs of windows, 3 s each, of CPU per request
//	BENCH_SECONDS=30         length of each of the three runs of delivered rate
//	BENCH_MEMORY_MINUTES=1   length of the run whose memory is watched; the bar is meant after 10 and 60
//	BENCH_OUTPUT=FILE        where the table is written too
//	BENCH_PROFILES=DIR       CPU profiles of daemon and bare loop, in windows that count for nothing
package bench
