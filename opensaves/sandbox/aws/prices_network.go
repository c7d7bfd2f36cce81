package aws

func (s *shelf) network() {
	nat := Product{Service: "AmazonEC2", Family: "NAT Gateway"}.with("group", "NGW:NatGateway", "operation", "NatGateway")
	hours, bytes := nat, nat
	hours.Unit, bytes.Unit = "Hrs", "GB"
	s.put(hours, s.old+"NatGateway-Prvd-Hours", flat(0.09))
	s.put(hours, s.old+"NatGateway-Hours", flat(0.045))
	s.put(bytes, s.old+"NatGateway-Prvd-Bytes", flat(0.09))
	s.put(bytes, s.old+"NatGateway-Bytes", flat(0.045))

	address := Product{Service: "AmazonVPC", Unit: "Hrs"}.with("group", "VPCPublicIPv4Address")
	s.put(address, s.old+"PublicIPv4:IdleAddress", flat(0.005))
	s.put(address, s.old+"PublicIPv4:InUseAddress", flat(0.005))

	s.balancers("Load Balancer", "LoadBalancing", 0.025)
	s.balancers("Load Balancer-Network", "LoadBalancing:Network", 0.0225)
	s.balancers("Load Balancer-Application", "LoadBalancing:Application", 0.0225)
	classic := Product{Service: "AWSELB", Family: "Load Balancer", Unit: "GB"}.with("operation", "LoadBalancing")
	s.put(classic, s.old+"DataProcessing-Bytes", flat(0.008))
	units := Product{Service: "AWSELB", Unit: "LCU-Hrs"}
	units.Family = "Load Balancer-Network"
	s.put(units.with("operation", "LoadBalancing:Network"), s.old+"LCUUsage", flat(0.006))
	units.Family = "Load Balancer-Application"
	s.put(units.with("operation", "LoadBalancing:Application"), s.old+"ReservedLCUUsage", flat(0.008))
	s.put(units.with("operation", "LoadBalancing:Application"), s.old+"LCUUsage", flat(0.008))
}

func (s *shelf) balancers(family, operation string, usd float64) {
	balancer := Product{Service: "AWSELB", Family: family, Unit: "Hrs"}.with("operation", operation)
	s.put(balancer.with("locationType", "AWS Outposts"), s.old+"Outposts-LoadBalancerUsage", flat(0))
	s.put(balancer, s.old+"LoadBalancerUsage", flat(usd))
}

func (s *shelf) edge() {
	// Transfer is told by where it goes from; it has no regionCode.
	transfer := Product{Service: "AWSDataTransfer", Family: "Data Transfer", Unit: "GB"}.
		with("regionCode", "", "locationType", "", "fromRegionCode", s.region, "fromLocationType", "AWS Region")
	s.put(transfer.with("transferType", "AWS Outbound", "toLocation", "External"), s.old+"DataTransfer-Out-Bytes",
		Tier{"10240", "51200", 0.085}, Tier{"0", "10240", 0.09}, Tier{"153600", "Inf", 0.05}, Tier{"51200", "153600", 0.07})
	s.put(transfer.with("transferType", "CloudFront Outbound", "toLocation", "Edge"), s.new+"CloudFront-Out-Bytes", flat(0))
	s.put(transfer.with("transferType", "InterRegion Outbound", "toLocation", "EU (Ireland)"), s.new+"EU-AWS-Out-Bytes", flat(0.02))
	s.put(transfer.with("transferType", "IntraRegion"), s.old+"DataTransfer-Regional-Bytes", flat(0.01))

	firewall := Product{Service: "awswaf", Family: "Web Application Firewall"}
	list, requests := firewall, firewall
	list.Unit, requests.Unit = "month", "Requests"
	s.put(list.with("group", "Web ACL"), s.new+"ShieldProtected-WebACLV2", flat(0))
	s.put(list.with("group", "Web ACL"), s.new+"WebACLV2", flat(5))
	s.put(list.with("group", "Rule"), s.new+"ShieldProtected-RuleV2", flat(0))
	s.put(list.with("group", "Rule"), s.new+"RuleV2", flat(1))
	s.put(requests.with("group", "Request"), s.new+"ShieldProtected-RequestV2-Tier1", flat(0))
	s.put(requests.with("group", "Request"), s.new+"RequestV2-Tier1", flat(0.0000006))
}

func (s *shelf) observation() {
	request := Product{Service: "AmazonCloudWatch", Family: "API Request"}
	request.Unit = "Requests"
	s.put(request.with("group", "CW:Requests"), s.old+"CW:Requests", freeUntil("1000000", 0.00001)...)
	request.Unit = "Metrics"
	s.put(request.with("operation", "GetMetricWidgetImage"), s.old+"CW:GMWI-Metrics", flat(0.00002))
	s.put(request.with("operation", "GetMetricData"), s.old+"CW:GMD-Metrics", flat(0.00001))

	metric := Product{Service: "AmazonCloudWatch", Family: "Metric"}
	metric.Unit = "Metrics"
	s.put(metric.with("group", "Metric"), s.old+"CW:MetricMonitorUsage",
		Tier{"0", "10000", 0.3}, Tier{"10000", "250000", 0.1}, Tier{"250000", "1000000", 0.05}, Tier{"1000000", "Inf", 0.02})
	metric.Unit = "Observations"
	s.put(metric.with("operation", "ContainerInsights"), s.old+"CW:ObservationUsage", flat(0.00000021))
}
