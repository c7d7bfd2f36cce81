package aws

import "strings"

func (s *shelf) cluster() {
	compute := Product{Service: "AmazonEKS", Family: "Compute"}
	hours := compute
	hours.Unit = "Hours"
	s.put(hours.with("operation", "ExtendedSupport"), s.new+"AmazonEKS-Hours:extendedSupport", flat(0.6))
	s.put(hours.with("operation", "CreateOperation"), s.new+"AmazonEKS-Hours:perCluster", flat(0.1))
	s.put(hours, s.new+"Fargate-ARM-vCPU-Hours:perCPU", flat(0.03238))
	s.put(hours, s.new+"Fargate-vCPU-Hours:perCPU", flat(0.04048))
	s.put(hours, s.new+"Fargate-ARM-GB-Hours", flat(0.00356))
	s.put(hours, s.new+"Fargate-GB-Hours", flat(0.004445))
}

func (s *shelf) nodes() {
	for _, node := range []struct {
		size string
		usd  float64 // an hour
	}{
		{"t3.medium", 0.0416},
		{"t3.large", 0.0832},
		{"t4g.medium", 0.0336},
		{"t4g.large", 0.0672},
	} {
		instance := Product{Service: "AmazonEC2", Family: "Compute Instance", Unit: "Hrs"}.with(
			"instanceType", node.size, "operatingSystem", "Linux", "tenancy", "Shared", "preInstalledSw", "NA",
			"capacitystatus", "Used", "operation", "RunInstances", "licenseModel", "No License required", "marketoption", "OnDemand")
		s.put(instance.with("capacitystatus", "UnusedCapacityReservation"), s.old+"UnusedBox:"+node.size, flat(node.usd))
		s.put(instance.with("capacitystatus", "AllocatedCapacityReservation"), s.old+"Reservation:"+node.size, flat(0))
		s.put(instance.with("tenancy", "Dedicated"), s.old+"DedicatedUsage:"+node.size, flat(node.usd*1.06))
		s.put(instance, s.old+"BoxUsage:"+node.size, flat(node.usd))
		if strings.HasPrefix(node.size, "t3.") { // neither runs on ARM
			s.put(instance.with("preInstalledSw", "SQL Std", "operation", "RunInstances:0200"), s.old+"BoxUsage:"+node.size, flat(node.usd+0.48))
			s.put(instance.with("operatingSystem", "Windows", "operation", "RunInstances:0002"), s.old+"BoxUsage:"+node.size, flat(node.usd+0.0184))
		}
	}
	volume := Product{Service: "AmazonEC2", Family: "Storage", Unit: "GB-Mo"}
	s.put(volume.with("volumeApiName", "gp2", "volumeType", "General Purpose"), s.old+"EBS:VolumeUsage.gp2", flat(0.1))
	s.put(volume.with("volumeApiName", "gp3", "volumeType", "General Purpose"), s.old+"EBS:VolumeUsage.gp3", flat(0.08))
}
