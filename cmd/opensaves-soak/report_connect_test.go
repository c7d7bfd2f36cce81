package main

import "testing"

func TestAReportIsOfThePodsInTheClusterOfItsTester(t *testing.T) {
	config := DefaultConfig()
	for selector, cluster := range map[string]string{
		`job="opensaves-soak"`:                                 "",
		`cluster="mine", job="opensaves-soak"`:                 `,cluster="mine"`,
		`cluster=~"eu-.*",cluster!="eu-3",namespace="testers"`: `,cluster=~"eu-.*",cluster!="eu-3"`,
	} {
		p, err := (&scraped{url: "http://prometheus:9090", selector: selector}).connect(config)
		if err != nil {
			t.Fatal(err)
		}
		if want := config.pods() + cluster; p.Pods != want || p.Selector != selector {
			t.Errorf("%s: got pods of %s, want %s", selector, p.Pods, want)
		}
	}
}
