package aws

import (
	"cmp"
	"net/http"
)

// Failure is what requests get instead of an answer.
type Failure struct {
	Status int    // of HTTP; 0: 500
	Code   string // of AWS, such as "ThrottlingException"; empty: the body is empty
	Hang   bool   // no answer until the client gives up
	Times  int    // how many requests fail; 0: all
}

// Fail makes requests of an action fail, or those of all actions if it is "*" and
// the action has no failure of its own; nil heals.
func (c *Cloud) Fail(action string, f *Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failures, action)
	if f != nil {
		failure := *f
		c.failures[action] = &failure
	}
}

// failure counts a call, and returns its failure if it has one.
func (c *Cloud) failure(action string) *Failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[action]++
	for _, key := range [...]string{action, "*"} {
		if f := c.failures[key]; f != nil {
			if f.Times == 1 {
				delete(c.failures, key)
			}
			f.Times--
			failure := *f
			return &failure
		}
	}
	return nil
}

// fail answers with the failure.
func (f *Failure) fail(w http.ResponseWriter, r *http.Request, p *protocol) {
	status := cmp.Or(f.Status, http.StatusInternalServerError)
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Code == "":
		w.WriteHeader(status)
	default:
		p.refuse(w, &problem{status, f.Code, "the call fails as it was told to"})
	}
}
