package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// chunkPath is where Serve answers for the object store.
const (
	chunkRoot = "/sandbox/chunks/"
	chunkPath = chunkRoot + "{session}/{number}"
)

// addresses returns a signed address for each chunk, in no order, as upstream's.
func (s *Sandbox) addresses(host string, u *upload, seconds int64) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	expires := strconv.FormatInt(time.Now().Unix()+seconds, 10)
	urls := make([]string, 0, len(u.chunks))
	for number := range u.chunks {
		n := strconv.FormatInt(number, 10)
		urls = append(urls, fmt.Sprintf("http://%s%s%s/%s?expires=%s&signature=%s", host, chunkRoot, u.session, n, expires, s.sign(u.session, n, expires)))
	}
	return urls
}

func (s *Sandbox) sign(session, number, expires string) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%s/%s/%s", session, number, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// serveChunk answers a signed address.
func (s *Sandbox) serveChunk(w http.ResponseWriter, r *http.Request) {
	session, number, expires := r.PathValue("session"), r.PathValue("number"), r.URL.Query().Get("expires")
	end, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || time.Now().Unix() > end || !hmac.Equal([]byte(s.sign(session, number, expires)), []byte(r.URL.Query().Get("signature"))) {
		http.Error(w, "the signature is wrong or has expired", http.StatusForbidden)
		return
	}
	n, _ := strconv.ParseInt(number, 10, 64) // it is signed
	piece, err := s.storedChunk(session, n)
	if err != nil {
		http.Error(w, "no such chunk", http.StatusNotFound)
		return
	}
	s.meter.Download(len(piece.content), 0)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(piece.content)))
	_, _ = w.Write(piece.content) // the client has gone
}

func (s *Sandbox) storedChunk(session string, number int64) (chunk, error) {
	u, err := s.database.session(session)
	if err != nil {
		return chunk{}, err
	}
	return u.read(number, manner{})
}
