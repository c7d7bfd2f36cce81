package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A client of the AWS SDK behind an interface would bring all its operations into
// the binary: those of EC2 alone are more than all the rest.
func TestTheLinkerDropsCallsThatNobodyMakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	symbols, err := exec.CommandContext(t.Context(), "go", "tool", "nm", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for used, unused := range map[string]string{
		"service/ec2.(*Client).DescribeInstances":             "service/ec2.(*Client).RunInstances",
		"service/cloudwatch.(*Client).GetMetricData":          "service/cloudwatch.(*Client).PutMetricData",
		"service/dynamodb.(*Client).DescribeTable":            "service/dynamodb.(*Client).PutItem",
		"service/elasticache.(*Client).DescribeCacheClusters": "service/elasticache.(*Client).CreateCacheCluster",
	} {
		if !strings.Contains(string(symbols), used) {
			t.Errorf("got no %s in the binary, want it: it is used", used)
		}
		if strings.Contains(string(symbols), unused) {
			t.Errorf("got %s in the binary, want it dropped: nobody calls it", unused)
		}
	}
}
