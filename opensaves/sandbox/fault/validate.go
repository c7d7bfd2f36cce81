package fault

import (
	"errors"
	"fmt"
	"time"

	"opensaves-soak/exporter/metric"
)

const (
	before      = "before"
	after       = "after"
	maxDuration = Duration(24 * time.Hour)
	minRestart  = Duration(100 * time.Millisecond)
)

// Validate reports every value that is out of range, each wrapping ErrRange.
func (f Faults) Validate() error {
	var m mistakes
	m.ratios(f)
	m.durations(f)
	m.stall("stall", f.Stall)
	m.stall("backend_down", f.BackendDown)
	if f.Error != (Error{}) {
		code, known := metric.ParseCode(f.Error.Code)
		m.check(known && code != metric.OK, "error.code", f.Error.Code, "the name of a gRPC code other than OK")
		m.check(f.Error.Apply == "" || f.Error.Apply == before || f.Error.Apply == after, "error.apply", f.Error.Apply, "before or after")
	}
	if f.Saturation != (Saturation{}) {
		m.check(f.Saturation.RPS >= 0.001 && f.Saturation.RPS <= 1e9, "saturation.rps", f.Saturation.RPS, "0.001 to 1e9")
		m.check(parseComponent(f.Saturation.Component) != 0, "saturation.component", f.Saturation.Component, "dynamodb, s3, redis or pods")
	}
	for name, share := range f.Kinds {
		m.check(parseLie(name) != None, "kinds."+name, name, "the name of a lie")
		m.ratio("kinds."+name, share)
	}
	return errors.Join(m...)
}

// mistakes are what Validate found.
type mistakes []error

func (m *mistakes) check(ok bool, path string, got any, want string) {
	if !ok {
		*m = append(*m, fmt.Errorf("%s: %w: got %v, want %s", path, ErrRange, got, want))
	}
}

func (m *mistakes) ratio(path string, got float64) {
	m.check(got >= 0 && got <= 1, path, got, "0 to 1")
}

func (m *mistakes) length(path string, got Duration) {
	m.check(got >= 0 && got <= maxDuration, path, time.Duration(got), "0s to 24h")
}

func (m *mistakes) stall(path string, s Stall) {
	m.length(path+".every", s.Every)
	m.check(s.For >= 0 && (s.For < s.Every || s == Stall{}), path+".for", time.Duration(s.For), "0s to less than every")
}

func (m *mistakes) ratios(f Faults) {
	m.ratio("dynamodb_throttle", f.DynamoDBThrottle)
	m.ratio("cut", f.Cut)
	m.ratio("error.ratio", f.Error.Ratio)
	m.ratio("apply_late.ratio", f.ApplyLate.Ratio)
	m.ratio("read_lag.ratio", f.ReadLag.Ratio)
	m.ratio("retry.ratio", f.Retry.Ratio)
	m.ratio("cache_refill.ratio", f.CacheRefill.Ratio)
	m.ratio("bad_pod.ratio", f.BadPod.Ratio)
}

func (m *mistakes) durations(f Faults) {
	m.length("latency", f.Latency)
	m.length("index_lag", f.IndexLag)
	m.length("cache_ttl", f.CacheTTL)
	m.length("early_ack_by", f.EarlyAckBy)
	m.length("expire_after", f.ExpireAfter)
	m.length("rot_after", f.RotAfter)
	m.length("apply_late.by", f.ApplyLate.By)
	m.length("read_lag.by", f.ReadLag.By)
	every := f.Restart.Every // oftener than minRestart nothing could connect
	m.check(every == 0 || every >= minRestart && every <= maxDuration, "restart.every", time.Duration(every), "0s, or 100ms to 24h")
}
