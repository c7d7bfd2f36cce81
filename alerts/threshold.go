package alerts

// What alerts fire at; dashboards draw the same numbers. All are shares of 1
// unless said.
const (
	JudgedShare       = 0.95  // at least, of the answers that are looked at
	SuccessShareDown  = 0.05  // at most, of the requests: the target is down
	StallDropShare    = 0.01  // at most, of the arrivals
	CPUThrottledShare = 0.10  // at most, of the tester's CFS periods
	LedgerVolumeShare = 0.85  // at most, of the ledger's volume in use
	DynamoDBThrottled = 0.001 // at most, of successful and throttled requests
	S3Failed          = 0.01  // at most, of the requests to a bucket
	RedisSmallVCPUs   = 2     // CPUs up to which a node's host CPU counts
	RedisHostCPU      = 0.45  // at most, of a small node's CPUs
	RedisEngineCPU    = 0.80  // at most, of the engine's thread
	RedisMemory       = 0.80  // at most, of what a node may hold
	PodRestarts       = 2     // restarts of a pod in 30 minutes, at most
	DataAgeSeconds    = 600   // seconds, of every component but S3
	S3DataAgeSeconds  = 1200  // seconds
	CeilingPaused     = 4     // opensaves_cloudwatch_degraded while polls pause
	BudgetUsed        = 1.2   // times the budget, at most
	OverrideSeconds   = 86400 // seconds that an override may last
	DriftLatency      = 1.5   // times the p99 of a day or a week ago
	DriftErrors       = 2     // times the error ratio of then
	DriftMemory       = 1.2   // times the pods' memory of then
	DriftRate         = 0.1   // difference up to which two rates can be compared
	DriftErrorFloor   = 0.1   // share of the error budget below which errors do not drift
)
