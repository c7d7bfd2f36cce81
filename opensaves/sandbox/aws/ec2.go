package aws

import (
	"cmp"
	"encoding/xml"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

type instances struct {
	XMLName      xml.Name      `xml:"DescribeInstancesResponse"`
	Reservations []reservation `xml:"reservationSet>item"`
}

type reservation struct {
	ID       string   `xml:"reservationId"`
	Owner    string   `xml:"ownerId"`
	Instance instance `xml:"instancesSet>item"`
}

type instance struct {
	ID        string        `xml:"instanceId"`
	Type      string        `xml:"instanceType"`
	DNSName   string        `xml:"privateDnsName"`
	Zone      string        `xml:"placement>availabilityZone"`
	Lifecycle string        `xml:"instanceLifecycle,omitempty"`
	State     instanceState `xml:"instanceState"`
	Tags      []tag         `xml:"tagSet>item"`
}

type instanceState struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

type tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func (c *Cloud) describeInstances(call call) (any, error) {
	chosen, err := c.chosen(call)
	var out instances
	for _, i := range chosen {
		pass, problem := call.passes(i)
		err = cmp.Or(err, problem)
		if pass {
			out.Reservations = append(out.Reservations, reservation{
				ID: "r-" + strings.TrimPrefix(i.ID, "i-"), Owner: c.account.ID, Instance: i.describe(),
			})
		}
	}
	return out, err
}

func (i Instance) describe() instance {
	out := instance{ID: i.ID, Type: i.Type, DNSName: i.PrivateDNSName, Zone: i.Zone, State: instanceState{16, "running"}}
	if i.Spot {
		out.Lifecycle = "spot"
	}
	for _, key := range slices.Sorted(maps.Keys(i.Tags)) {
		out.Tags = append(out.Tags, tag{key, i.Tags[key]})
	}
	return out
}

// chosen returns the instances whose IDs the call lists, or all.
func (c *Cloud) chosen(call call) ([]Instance, error) {
	ids := call.list("InstanceId")
	if len(ids) == 0 {
		return c.account.Instances, nil
	}
	var chosen []Instance
	for _, id := range ids {
		i := slices.IndexFunc(c.account.Instances, func(i Instance) bool { return i.ID == id })
		if i < 0 {
			return nil, refused("InvalidInstanceID.NotFound", "got %q, want an instance of the account", id)
		}
		chosen = append(chosen, c.account.Instances[i])
	}
	return chosen, nil
}

// passes says whether the filters of the call let the instance through.
func (call call) passes(i Instance) (bool, error) {
	for n := 1; ; n++ {
		prefix := "Filter." + strconv.Itoa(n) + "."
		name, values := call.form.Get(prefix+"Name"), call.list(prefix+"Value")
		key, tagged := strings.CutPrefix(name, "tag:")
		value, has := i.Tags[key]
		switch {
		case name == "":
			return true, nil
		case tagged:
			has = has && slices.Contains(values, value)
		case name == "tag-key":
			has = slices.ContainsFunc(values, func(key string) bool { _, has := i.Tags[key]; return has })
		case name == "instance-state-name":
			has = slices.Contains(values, "running")
		default:
			return false, refused("InvalidParameterValue", "got the filter %q, want tag:KEY, tag-key or instance-state-name", name)
		}
		if !has {
			return false, nil
		}
	}
}

// list returns a parameter's values, which the form numbers from 1.
func (call call) list(name string) (values []string) {
	for n := 1; call.form.Has(name + "." + strconv.Itoa(n)); n++ {
		values = append(values, call.form.Get(name+"."+strconv.Itoa(n)))
	}
	return values
}

type creditSpecifications struct {
	XMLName xml.Name              `xml:"DescribeInstanceCreditSpecificationsResponse"`
	Items   []creditSpecification `xml:"instanceCreditSpecificationSet>item"`
}

type creditSpecification struct {
	Instance string `xml:"instanceId"`
	Credits  string `xml:"cpuCredits"`
}

// describeCredits tells of the instances that are named, of which those that are
// not burstable are "standard"; where none is named, of the unlimited ones.
func (c *Cloud) describeCredits(call call) (any, error) {
	chosen, err := c.chosen(call)
	named := len(call.list("InstanceId")) > 0
	var out creditSpecifications
	for _, i := range chosen {
		if named || i.Credits == "unlimited" {
			out.Items = append(out.Items, creditSpecification{i.ID, cmp.Or(i.Credits, "standard")})
		}
	}
	return out, err
}

type spotPrices struct {
	XMLName xml.Name    `xml:"DescribeSpotPriceHistoryResponse"`
	Items   []spotPrice `xml:"spotPriceHistorySet>item"`
}

type spotPrice struct {
	Type    string    `xml:"instanceType"`
	Product string    `xml:"productDescription"`
	Price   string    `xml:"spotPrice"`
	At      time.Time `xml:"timestamp"`
	Zone    string    `xml:"availabilityZone"`
}

const linux = "Linux/UNIX"

// describeSpotPrices tells the newest prices alone, as if they had changed when
// the hour began.
func (c *Cloud) describeSpotPrices(call call) (any, error) {
	wants := func(values []string, value string) bool { return len(values) == 0 || slices.Contains(values, value) }
	var out spotPrices
	for _, p := range c.account.SpotPrices {
		zone := call.form.Get("AvailabilityZone")
		if wants(call.list("InstanceType"), p.Type) && wants(call.list("ProductDescription"), linux) && (zone == "" || zone == p.Zone) {
			out.Items = append(out.Items, spotPrice{
				p.Type, linux, strconv.FormatFloat(p.USD, 'f', 6, 64), call.now.UTC().Truncate(time.Hour), p.Zone,
			})
		}
	}
	return out, nil
}
