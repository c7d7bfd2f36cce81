package aws

import "time"

// Sizes in bytes of commands and answers of Redis without keys and values.
const redisFrame = 64

// Hit counts a GET that the cache answered with so many bytes.
func (m *Meter) Hit(bytes int) {
	if m != nil {
		m.redis.hits.Add(1)
		m.redis.bytesIn.Add(redisFrame)
		m.redis.bytesOut.Add(redisFrame + int64(bytes))
	}
}

// Miss counts a GET that the cache did not answer.
func (m *Meter) Miss() {
	if m != nil {
		m.redis.misses.Add(1)
		m.redis.bytesIn.Add(redisFrame)
		m.redis.bytesOut.Add(redisFrame)
	}
}

// Set counts a SET of so many bytes.
func (m *Meter) Set(bytes int) {
	if m != nil {
		m.redis.sets.Add(1)
		m.redis.bytesIn.Add(redisFrame + int64(bytes))
		m.redis.bytesOut.Add(redisFrame)
	}
}

// Unset counts a DEL, which CloudWatch does not count as a SET.
func (m *Meter) Unset() {
	if m != nil {
		m.redis.bytesIn.Add(redisFrame)
		m.redis.bytesOut.Add(redisFrame)
	}
}

// partSize is what the uploader of the AWS SDK puts into one request, in bytes.
const partSize = 5 << 20

// Upload counts the requests of an upload: one, or those of several parts. In a
// bucket with versions nothing is overwritten.
func (m *Meter) Upload(bytes int, wait time.Duration) {
	if m == nil {
		return
	}
	m.s3.bytesUp.Add(int64(bytes))
	m.s3.versions.Add(1)
	for range blocks(bytes, partSize) {
		m.s3.requests[s3Put].add(wait)
	}
	if bytes > partSize { // begin and end
		m.s3.requests[s3Post].add(wait)
		m.s3.requests[s3Post].add(wait)
	}
}

// Download counts a GET that is answered with so many bytes.
func (m *Meter) Download(bytes int, wait time.Duration) {
	if m != nil {
		m.s3.requests[s3Get].add(wait)
		m.s3.bytesDown.Add(int64(bytes))
	}
}

// Look counts a HEAD, and whether the object was there.
func (m *Meter) Look(found bool, wait time.Duration) {
	if m == nil {
		return
	}
	m.s3.requests[s3Head].add(wait)
	if !found {
		m.s3.clientErrors.Add(1)
	}
}

// Remove counts a DELETE, which leaves a mark in a bucket with versions.
func (m *Meter) Remove(wait time.Duration) {
	if m != nil {
		m.s3.requests[s3Delete].add(wait)
		m.s3.versions.Add(1)
	}
}

// Serve counts a request that the pods got.
func (m *Meter) Serve() {
	if m != nil {
		m.pods.requests.Add(1)
	}
}

// Receive counts bytes that the pods received.
func (m *Meter) Receive(bytes int) {
	if m != nil {
		m.pods.bytesIn.Add(int64(bytes))
	}
}

// Transmit counts bytes that the pods sent.
func (m *Meter) Transmit(bytes int) {
	if m != nil {
		m.pods.bytesOut.Add(int64(bytes))
	}
}

// Restart counts a restart of all pods.
func (m *Meter) Restart() {
	if m != nil {
		m.pods.restarts.Add(1)
	}
}

// OccupyPods takes the time that saturated pods served a request for.
func (m *Meter) OccupyPods(d time.Duration) {
	if m != nil {
		m.pods.busy.Add(int64(d))
	}
}

// OccupyRedis takes the time that a saturated cache served a request for.
func (m *Meter) OccupyRedis(d time.Duration) {
	if m != nil {
		m.redis.busy.Add(int64(d))
	}
}

// Holdings is what is stored at one moment.
type Holdings struct {
	Tables  [roles][views]Amount
	Cache   Amount // of Redis
	Expired int64  // entries of the cache that the Holdings before had, and whose time has run out
}

// Amount is how much is stored.
type Amount struct{ Items, Bytes int64 }

// Add counts an item.
func (a *Amount) Add(bytes int) {
	a.Items++
	a.Bytes += int64(bytes)
}
