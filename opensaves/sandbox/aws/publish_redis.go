package aws

// What a cache.t4g.small can do, and what it uses when nobody asks it.
const (
	redisCommands  = 60e3          // a second that keep the engine's one thread busy
	redisVCPUs     = 2             // of which the engine uses one
	redisIdle      = 0.015         // share of the host's CPU
	redisHost      = 2 << 30       // bytes of memory
	redisMaxMemory = 1_471_026_299 // bytes that the engine may use
	redisUsed      = 8 << 20       // bytes that it uses without data
	redisOverhead  = 96            // bytes of an entry beside its value
	redisSystem    = 380 << 20     // bytes that the host needs for itself

	redisPool     = 10 // connections of a pod
	redisWatching = 4  // connections of AWS itself
)

// redis publishes what AWS/ElastiCache has of a cluster's nodes.
func (i *interval) redis(c CacheCluster) {
	for _, node := range c.Nodes {
		to := family{"AWS/ElastiCache", map[string]string{"CacheClusterId": c.ID, "CacheNodeId": node}}
		i.redisCounts(to)
		i.redisMemory(to)
		host, engine := i.redisCPU()
		i.level(to, "CPUUtilization", 100*host)
		i.level(to, "EngineCPUUtilization", 100*engine)
		i.redisCredits(to, c.NodeType, host)
	}
}

// redisCounts publishes what Redis counts, and reports also when it is nothing.
func (i *interval) redisCounts(to family) {
	used := &i.meter.redis
	hits, misses := i.grown(&used.hits), i.grown(&used.misses)
	i.level(to, "CacheHits", hits)
	i.level(to, "CacheMisses", misses)
	i.level(to, "GetTypeCmds", hits+misses)
	i.level(to, "SetTypeCmds", i.grown(&used.sets))
	i.level(to, "NetworkBytesIn", i.grown(&used.bytesIn))
	i.level(to, "NetworkBytesOut", i.grown(&used.bytesOut))
	i.level(to, "Reclaimed", float64(i.held.Expired))
	i.level(to, "CurrConnections", redisWatching+redisPool*float64(len(podNames)))
	i.level(to, "NewConnections", redisPool*float64(len(podNames))*i.grown(&i.meter.pods.restarts))
	for _, never := range []string{
		"Evictions", "NetworkBandwidthInAllowanceExceeded", "NetworkBandwidthOutAllowanceExceeded",
		"NetworkPacketsPerSecondAllowanceExceeded", "NetworkConntrackAllowanceExceeded",
	} {
		i.level(to, never, 0)
	}
}

func (i *interval) redisMemory(to family) {
	cache := i.held.Cache
	used := float64(redisUsed + cache.Bytes + redisOverhead*cache.Items)
	i.level(to, "CurrItems", float64(cache.Items))
	i.level(to, "BytesUsedForCache", used)
	i.level(to, "DatabaseMemoryUsagePercentage", 100*min(1, used/redisMaxMemory))
	i.level(to, "FreeableMemory", max(0, redisHost-redisSystem-used))
	i.level(to, "SwapUsage", 0)
}

// redisCPU returns the shares of the host's CPU and of the engine's thread that
// are used. A node that a fault saturates is so as a whole.
func (i *interval) redisCPU() (host, engine float64) {
	used := &i.meter.redis
	busy := i.busy(&used.busy)
	engine = min(1, (i.rate(&used.hits)+i.rate(&used.misses)+i.rate(&used.sets))/redisCommands)
	host = min(1, redisIdle+engine/redisVCPUs)
	return max(host, busy), max(engine, busy)
}

func (i *interval) redisCredits(to family, nodeType string, host float64) {
	left := i.spend(to.dimensions["CacheClusterId"], nodeType, host*redisVCPUs)
	if left != nil && i.credited() {
		i.cloud.Put(Metric{to.namespace, "CPUCreditBalance", to.dimensions}, i.creditTime(), Value{Value: left.balance})
	}
}
