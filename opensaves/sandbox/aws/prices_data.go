package aws

func (s *shelf) tables() {
	onDemand := Product{Service: "AmazonDynamoDB", Family: "Amazon DynamoDB PayPerRequest Throughput"}.
		with("operation", "PayPerRequestThroughput")
	write, read := onDemand.with("group", "DDB-WriteUnits"), onDemand.with("group", "DDB-ReadUnits")
	write.Unit, read.Unit = "WriteRequestUnits", "ReadRequestUnits"
	s.put(write, s.old+"IA-WriteRequestUnits", flat(0.00000078))
	s.put(write, s.old+"ReplWriteRequestUnits", flat(0.000000625))
	s.put(write, s.old+"WriteRequestUnits", flat(0.000000625))
	s.put(read, s.old+"IA-ReadRequestUnits", flat(0.000000155))
	s.put(read, s.old+"ReadRequestUnits", flat(0.000000125))

	provisioned := Product{Service: "AmazonDynamoDB", Family: "Provisioned IOPS"}.with("operation", "CommittedThroughput")
	write, read = provisioned.with("group", "DDB-WriteUnits"), provisioned.with("group", "DDB-ReadUnits")
	write.Unit, read.Unit = "WriteCapacityUnit-Hrs", "ReadCapacityUnit-Hrs"
	s.put(write.with("group", "DDB-WriteUnitsIA"), s.old+"IA-WriteCapacityUnit-Hrs", flat(0.00081))
	s.put(write.with("group", "DDB-ReplicatedWriteUnits"), s.old+"ReplWriteCapacityUnit-Hrs", flat(0.00065))
	s.put(write, s.old+"WriteCapacityUnit-Hrs", freeUntil("18600", 0.00065)...)
	s.put(read.with("group", "DDB-ReadUnitsIA"), s.old+"IA-ReadCapacityUnit-Hrs", flat(0.00016))
	s.put(read, s.old+"ReadCapacityUnit-Hrs", freeUntil("18600", 0.00013)...)

	storage := Product{Service: "AmazonDynamoDB", Family: "Database Storage", Unit: "GB-Mo"}
	s.put(storage.with("volumeType", "Amazon DynamoDB - Indexed DataStore - IA"), s.old+"IA-TimedStorage-ByteHrs", flat(0.1))
	s.put(storage.with("volumeType", "Amazon DynamoDB - Indexed DataStore"), s.old+"TimedStorage-ByteHrs", freeUntil("25", 0.25)...)
}

func (s *shelf) blobs() {
	storage := Product{Service: "AmazonS3", Family: "Storage", Unit: "GB-Mo"}
	s.put(storage.with("volumeType", "Standard - Infrequent Access", "storageClass", "Infrequent Access"), s.old+"TimedStorage-SIA-ByteHrs", flat(0.0125))
	s.put(storage.with("volumeType", "Standard", "storageClass", "General Purpose"), s.old+"TimedStorage-ByteHrs",
		Tier{"512000", "Inf", 0.021}, Tier{"0", "51200", 0.023}, Tier{"51200", "512000", 0.022})
	s.put(storage.with("volumeType", "Standard", "storageClass", "Staging"), s.old+"StagingStorage-ByteHrs", flat(0.023))

	request := Product{Service: "AmazonS3", Family: "API Request", Unit: "Requests"}
	s.put(request.with("group", "S3-API-SIA-Tier1"), s.old+"Requests-SIA-Tier1", flat(0.00001))
	s.put(request.with("group", "S3-API-Tier1"), s.old+"Requests-Tier1", flat(0.000005))
	s.put(request.with("group", "S3-API-SIA-Tier2"), s.old+"Requests-SIA-Tier2", flat(0.000001))
	s.put(request.with("group", "S3-API-Tier2"), s.old+"Requests-Tier2", flat(0.0000004))
	s.put(request.with("group", "S3-API-Tier3"), s.old+"Requests-Tier3", flat(0.00003))
}

func (s *shelf) caches() {
	for _, node := range []struct {
		size          string
		redis, valkey float64 // USD an hour
	}{
		{"cache.t4g.micro", 0.016, 0.0128},
		{"cache.t4g.small", 0.032, 0.0256},
		{"cache.t4g.medium", 0.065, 0.052},
		{"cache.m7g.large", 0.158, 0.1264},
		{"cache.r7g.large", 0.219, 0.1752},
	} {
		instance := Product{Service: "AmazonElastiCache", Family: "Cache Instance", Unit: "Hrs"}.
			with("instanceType", node.size, "currentGeneration", "Yes")
		redis := instance.with("cacheEngine", "Redis", "operation", "CreateCacheCluster:0002")
		s.put(redis, s.old+"ExtendedSupport:Yr1-Yr2:"+node.size, flat(node.redis*0.8))
		s.put(redis.with("locationType", "AWS Outposts"), s.old+"Outposts-NodeUsage:"+node.size, flat(0))
		s.put(redis, s.old+"NodeUsage:"+node.size, flat(node.redis))
		s.put(instance.with("cacheEngine", "Valkey", "operation", "CreateCacheCluster:0003"), s.old+"NodeUsage:"+node.size, flat(node.valkey))
		s.put(instance.with("cacheEngine", "Memcached", "operation", "CreateCacheCluster:0001"), s.old+"NodeUsage:"+node.size, flat(node.redis))
	}
}
