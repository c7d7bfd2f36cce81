package exporter

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// tokenFlag names the control token file, for those who are refused.
const tokenFlag = "--web.control-token-file"

// tokenLimit bounds the token's file, in bytes.
const tokenLimit = 4 << 10

// access decides who may read the API and who may change something.
//
// Without a token the trust rests on where a call comes from: loopback, and
// so kubectl port-forward. A browser on that machine is there too and opens
// pages of strangers, so the call must not look like theirs. Its Host must be
// a loopback name or address (against DNS rebinding, where a stranger's name
// leads here), and its Origin, if any, must be the Host. A proxy's peer is
// no evidence either: what was forwarded does not come from loopback.
//
// With a token the Host may be any, and the Origin must still be the Host.
type access struct {
	tokenFile string
	logger    *slog.Logger
}

// Guard returns what lets a resource that is served elsewhere be read by all
// and changed by few, as the control API is; tokenFile is Options' ControlTokenFile.
func Guard(tokenFile string, logger *slog.Logger) func(http.Handler) http.Handler {
	return access{tokenFile: tokenFile, logger: logger}.api
}

// api guards a resource that all may read and few may change.
func (a access) api(next http.Handler) http.Handler {
	guarded := a.control(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			guarded.ServeHTTP(w, r)
		} else if refused := a.foreign(r); refused != nil {
			refused.to(w)
		} else {
			next.ServeHTTP(w, r)
		}
	})
}

// own guards what all may read, but in no page of another site: a stream that such
// a page opens takes a place, whether or not the page can read it.
func (a access) own(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused := a.crossSite(r); refused != nil {
			refused.to(w)
		} else {
			next.ServeHTTP(w, r)
		}
	})
}

// control guards what few may call at all.
func (a access) control(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused := a.stranger(r)
		if refused == nil {
			next.ServeHTTP(w, r)
			return
		}
		if refused.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="opensaves-soak control"`)
		}
		refused.to(w)
	})
}

// stranger returns why the caller may not change anything, or nil.
func (a access) stranger(r *http.Request) *refusal {
	if refused := a.crossSite(r); refused != nil {
		return refused
	}
	if a.tokenFile == "" {
		if !fromLoopback(r) {
			return &refusal{http.StatusForbidden, ordinary, "got a call from elsewhere than loopback, want one through kubectl port-forward, or a token: set " + tokenFlag}
		}
		return nil
	}
	want, err := a.token()
	if err != nil {
		a.logger.Error("Control calls are refused until the token can be read", "err", err)
		return &refusal{http.StatusServiceUnavailable, ordinary, "the control token cannot be read"}
	}
	if !bearer(r, want) {
		return &refusal{tokenStatus(r), tokenNeeded, "got no control token or a wrong one, want that of " + tokenFlag + " as a bearer token, or in " + tokenHeader}
	}
	return nil
}

// tokenStatus is what a call without the token is answered with. 401 makes a browser
// forget the password that stands beside the token, and ask for another: it is for
// scripts.
func tokenStatus(r *http.Request) int {
	_, _, password := r.BasicAuth()
	if password || r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// crossSite returns why a call looks like one that another site's page causes, or
// nil. Browsers send no Origin with a GET, but say where the page is from.
func (a access) crossSite(r *http.Request) *refusal {
	if refused := a.foreign(r); refused != nil {
		return refused
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return &refusal{http.StatusForbidden, ordinary, "got a call from a page of another site"}
	}
	return nil
}

// foreign returns why a call looks like one that a stranger's page makes, or nil.
func (a access) foreign(r *http.Request) *refusal {
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return &refusal{http.StatusForbidden, ordinary, "got a foreign Origin, want that of the Host"}
		}
	}
	if a.tokenFile == "" && isLoopback(r.RemoteAddr) && !isLoopback(r.Host) {
		return &refusal{http.StatusForbidden, ordinary, "got a foreign Host over loopback, want localhost or a loopback address, or a token: set " + tokenFlag}
	}
	return nil
}

// fromLoopback says whether the caller is on this machine and no proxy spoke for it.
func fromLoopback(r *http.Request) bool {
	for _, header := range [...]string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if len(r.Header.Values(header)) > 0 {
			return false
		}
	}
	return isLoopback(r.RemoteAddr)
}

// isLoopback looks at host or host:port.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// tokenHeader is where the token may stand too: behind basic authentication the
// header Authorization is taken.
const tokenHeader = "X-Control-Token"

// bearer compares in a time that does not depend on the token.
func bearer(r *http.Request, want string) bool {
	scheme, got, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token := r.Header.Get(tokenHeader); token != "" {
		scheme, got = "Bearer", token
	}
	a, b := sha256.Sum256([]byte(strings.TrimSpace(got))), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

// token reads the file at each call, so that a new token counts at once.
func (a access) token() (string, error) {
	text, err := os.ReadFile(a.tokenFile)
	if err != nil {
		return "", fmt.Errorf("reading the control token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	switch {
	case token == "":
		return "", fmt.Errorf("reading the control token: got nothing in %s, want a token", a.tokenFile)
	case len(text) > tokenLimit:
		return "", fmt.Errorf("reading the control token: got more than %d bytes in %s", tokenLimit, a.tokenFile)
	}
	return token, nil
}
