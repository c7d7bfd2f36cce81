package alerts

import (
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// CloudFormationAccess is a template that makes the exporter's IAM role and
// switches on the request metrics of the bucket.
//
//go:embed rules/cloudformation-access.yaml
var CloudFormationAccess string

// template is the format of CloudFormation; see
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html.
type template struct {
	Version     string               `yaml:"AWSTemplateFormatVersion"`
	Description string               `yaml:"Description"`
	Parameters  map[string]parameter `yaml:"Parameters"`
	Conditions  map[string]any       `yaml:"Conditions"`
	Resources   map[string]resource  `yaml:"Resources"`
}

type parameter struct {
	Type        string   `yaml:"Type"`
	Default     *string  `yaml:"Default,omitempty"`
	Allowed     []string `yaml:"AllowedValues,omitempty"`
	Description string   `yaml:"Description"`
}

type resource struct {
	Type       string          `yaml:"Type"`
	Condition  string          `yaml:"Condition,omitempty"`
	Properties alarmProperties `yaml:"Properties"`
}

// alarmProperties are those of AWS::CloudWatch::Alarm that are used.
type alarmProperties struct {
	Name        any        `yaml:"AlarmName"`
	Description string     `yaml:"AlarmDescription"`
	Alarm       []any      `yaml:"AlarmActions"`
	OK          []any      `yaml:"OKActions"`
	Comparison  string     `yaml:"ComparisonOperator"`
	Threshold   float64    `yaml:"Threshold"`
	Periods     int        `yaml:"EvaluationPeriods"`
	Datapoints  int        `yaml:"DatapointsToAlarm"`
	Missing     string     `yaml:"TreatMissingData"`
	Metrics     []cfMetric `yaml:"Metrics"`
}

type cfMetric struct {
	ID         string  `yaml:"Id"`
	Expression string  `yaml:"Expression,omitempty"`
	Stat       *cfStat `yaml:"MetricStat,omitempty"`
	ReturnData bool    `yaml:"ReturnData"`
}

type cfStat struct {
	Metric cfIdentity `yaml:"Metric"`
	Period int        `yaml:"Period"`
	Stat   string     `yaml:"Stat"`
}

type cfIdentity struct {
	Namespace  string        `yaml:"Namespace"`
	Name       string        `yaml:"MetricName"`
	Dimensions []cfDimension `yaml:"Dimensions"`
}

type cfDimension struct {
	Name  string `yaml:"Name"`
	Value any    `yaml:"Value"`
}

// parameters are the names of a stock deployment.
func parameters() map[string]parameter {
	named := func(standard, description string) parameter {
		return parameter{Type: "String", Default: &standard, Description: description}
	}
	small := named("yes", "Whether a node of the cache has up to two CPUs")
	small.Allowed = []string{"yes", "no"}
	return map[string]parameter{
		"Topic":         {Type: "String", Description: "ARN of the SNS topic that is told"},
		"StoresTable":   named("open-saves-stores", "DynamoDB table of the stores"),
		"RecordsTable":  named("open-saves-records", "DynamoDB table of the records"),
		"MetadataTable": named("open-saves-metadata", "DynamoDB table of the metadata"),
		"OwnerIndex":    named("OwnerIDIndex", "Index of the records by owner"),
		"GameIndex":     named("GameIDIndex", "Index of the records by game"),
		"Bucket":        named("", "Bucket of the blobs; empty for open-saves-blobs-ACCOUNT"),
		"Filter":        named("EntireBucket", "Name of the bucket's metrics configuration"),
		"CacheCluster":  named("open-saves-cache", "ElastiCache cluster"),
		"CacheNode":     named("0001", "Its node"),
		"SmallCache":    small,
		"EKSCluster":    named("open-saves-cluster", "EKS cluster"),
		"Namespace":     named("open-saves", "Namespace of Open Saves"),
		"Workload":      named("open-saves", "Deployment of Open Saves"),
	}
}

// WriteCloudFormation writes a template of CloudWatch alarms for the alerts that
// have them. They go to an SNS topic, its parameter Topic.
func WriteCloudFormation(w io.Writer, groups []Group) error {
	t := template{
		Version: "2010-09-09", Description: "CloudWatch alarms for Open Saves on AWS",
		Parameters: parameters(), Resources: map[string]resource{},
		Conditions: map[string]any{
			"CacheIsSmall":  map[string]any{"Fn::Equals": []any{reference("SmallCache"), "yes"}},
			"DefaultBucket": map[string]any{"Fn::Equals": []any{reference("Bucket"), ""}},
		},
	}
	for _, g := range groups {
		for _, r := range g.Rules {
			for _, a := range r.Alarms {
				name := strings.TrimPrefix(r.Alert, "OpenSavesSoak") + a.Suffix
				t.Resources[name] = resource{"AWS::CloudWatch::Alarm", a.Condition, a.properties(name, r.Annotations["runbook_url"])}
			}
		}
	}
	return write(w, "", t)
}

func (a Alarm) properties(name, runbook string) alarmProperties {
	topic := []any{reference("Topic")}
	points := a.Minutes * minute / a.Period
	p := alarmProperties{
		Name: substitute("${AWS::StackName}-" + name), Description: a.What + ". Runbook: " + runbook, Alarm: topic, OK: topic,
		Comparison: "GreaterThanThreshold", Threshold: a.Threshold, Periods: points, Datapoints: points, Missing: "notBreaching",
	}
	if len(a.Metrics) == 1 {
		p.Metrics = []cfMetric{{ID: "m0", Stat: a.stat(a.Metrics[0]), ReturnData: true}}
		return p
	}
	p.Periods++ // the newest minute passes for 0 while it is late
	var terms []string
	for i, m := range a.Metrics {
		id := fmt.Sprintf("m%d", i)
		terms = append(terms, "FILL("+id+", 0)")
		p.Metrics = append(p.Metrics, cfMetric{ID: id, Stat: a.stat(m)})
	}
	p.Metrics = append(p.Metrics, cfMetric{ID: "total", Expression: strings.Join(terms, " + "), ReturnData: true})
	return p
}

func (a Alarm) stat(m AlarmMetric) *cfStat {
	s := &cfStat{Metric: cfIdentity{Namespace: a.Namespace, Name: m.Name}, Period: a.Period, Stat: m.Stat}
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		value := reference(m.Dimensions[name])
		if name == "BucketName" {
			value = map[string]any{"Fn::If": []any{"DefaultBucket", substitute("open-saves-blobs-${AWS::AccountId}"), value}}
		}
		s.Metric.Dimensions = append(s.Metric.Dimensions, cfDimension{name, value})
	}
	return s
}

func reference(parameter string) any { return map[string]any{"Ref": parameter} }

func substitute(text string) any { return map[string]any{"Fn::Sub": text} }
