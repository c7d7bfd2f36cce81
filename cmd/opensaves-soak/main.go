// Command opensaves-soak is a Prometheus exporter and continuous soak tester
// for Open Saves.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
