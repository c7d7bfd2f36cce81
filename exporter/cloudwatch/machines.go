package cloudwatch

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
)

// creditRows are what EC2 publishes of burstable instances every five minutes
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html).
var creditRows = []row{
	{name: "CPUCreditBalance", into: metric.EKSNodeCredits, stats: []string{minimum}, unit: plain, empty: hold, period: fiveMinute},
	{name: "CPUSurplusCreditBalance", into: metric.EKSNodeSurplus, stats: []string{maximum}, unit: plain, empty: hold, period: fiveMinute},
}

// machines is what is known of the instances that are a cluster's nodes,
// whoever has started them: they carry the cluster's tag.
type machines struct {
	Options
	instances []types.Instance
	modes     map[string]string // of credits, by instance
	spot      map[string]float64
}

func (m *machines) plan(ctx context.Context, p *plan, tell looks) {
	found, err := m.find(ctx)
	tell("nodes", err)
	p.sources["nodes"] = err == nil
	if err == nil {
		m.instances = found
		m.look(ctx, tell)
	}
	for i := range m.instances {
		m.planNode(p, &m.instances[i])
	}
}

// clusterTag is what Kubernetes needs on a node, so all nodes have it.
const clusterTag = "kubernetes.io/cluster/"

func (m *machines) find(ctx context.Context) ([]types.Instance, error) {
	in := &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("tag-key"), Values: []string{clusterTag + m.Config.EKS.Cluster}},
		{Name: aws.String("instance-state-name"), Values: []string{string(types.InstanceStateNameRunning)}},
	}}
	var found []types.Instance
	for range mostPages {
		out, err := m.Calls.DescribeInstances(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range out.Reservations {
			found = append(found, r.Instances...)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return found, nil
}

// look finds out how credits run out, and what spot instances cost.
func (m *machines) look(ctx context.Context, tell looks) {
	var bursting, types []string
	for i := range m.instances {
		one := &m.instances[i]
		if burstable(string(one.InstanceType)) {
			bursting = append(bursting, aws.ToString(one.InstanceId))
		}
		if one.InstanceLifecycle != "" && !slices.Contains(types, string(one.InstanceType)) {
			types = append(types, string(one.InstanceType))
		}
	}
	if len(bursting) > 0 {
		tell("credit_modes", m.lookModes(ctx, bursting))
	}
	if len(types) > 0 {
		tell("spot_prices", m.lookPrices(ctx, types))
	}
}

func (m *machines) lookModes(ctx context.Context, ids []string) error {
	out, err := m.Calls.DescribeInstanceCreditSpecification(ctx, &ec2.DescribeInstanceCreditSpecificationsInput{InstanceIds: ids})
	if err != nil {
		return err
	}
	m.modes = map[string]string{}
	for _, c := range out.InstanceCreditSpecifications {
		m.modes[aws.ToString(c.InstanceId)] = aws.ToString(c.CpuCredits)
	}
	return nil
}

func (m *machines) lookPrices(ctx context.Context, kinds []string) error {
	in := &ec2.DescribeSpotPriceHistoryInput{StartTime: aws.Time(time.Now()), ProductDescriptions: []string{"Linux/UNIX"}}
	for _, kind := range kinds {
		in.InstanceTypes = append(in.InstanceTypes, types.InstanceType(kind))
	}
	out, err := m.Calls.DescribeSpotPriceHistory(ctx, in)
	if err != nil {
		return err
	}
	m.spot = map[string]float64{}
	for _, s := range out.SpotPriceHistory {
		price, err := strconv.ParseFloat(aws.ToString(s.SpotPrice), 64)
		if err != nil {
			return err
		}
		m.spot[string(s.InstanceType)+" "+aws.ToString(s.AvailabilityZone)] = price
	}
	return nil
}

// spotPrice is what an hour of a spot instance costs in its zone, NaN if unknown.
func (m *machines) spotPrice(i *types.Instance) float64 {
	if i.Placement != nil {
		if usd, ok := m.spot[string(i.InstanceType)+" "+aws.ToString(i.Placement.AvailabilityZone)]; ok {
			return usd
		}
	}
	return math.NaN()
}

// planNode adds an instance: what it costs, and its credits.
func (m *machines) planNode(p *plan, i *types.Instance) {
	node := cost.Node{InstanceType: string(i.InstanceType)}
	if i.InstanceLifecycle == types.InstanceLifecycleTypeSpot {
		node.SpotUSD = m.spotPrice(i)
	}
	p.billed.nodes = append(p.billed.nodes, node)
	if !burstable(string(i.InstanceType)) {
		return
	}
	id := aws.ToString(i.InstanceId)
	labels := []string{m.Connect.Region, m.Config.EKS.Cluster, strings.TrimSuffix(aws.ToString(i.PrivateDnsName), "."), m.modes[id]}
	p.queries = append(p.queries, target{"AWS/EC2", []dimension{{"InstanceId", id}}, labels}.queries(creditRows)...)
}
