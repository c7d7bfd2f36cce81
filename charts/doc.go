// Package charts holds the Helm chart to the program: what it renders, and what
// is generated into it. It has nothing but tests.
package charts

// What is generated in opensaves-soak is written by the tests that compare it.
//go:generate env UPDATE=1 go test -count=1 -run=^TestGenerated .
