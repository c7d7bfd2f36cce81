package cloudwatch

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// once logs trouble when it begins and when it ends: polls repeat for weeks, and
// how often they fail with which code is in the metrics.
type once struct {
	log *slog.Logger
	now map[string]bool // what is in trouble
}

func newOnce(log *slog.Logger) *once { return &once{log: log, now: map[string]bool{}} }

// note tells how something ended that is tried again and again.
func (o *once) note(what string, err error) {
	if errors.Is(err, context.Canceled) {
		return // we are ending
	}
	was := o.now[what]
	o.now[what] = err != nil
	switch {
	case err != nil && !was:
		o.log.Warn("AWS does not answer", "what", what, "code", errorCode(err), "err", err)
	case err == nil && was:
		o.log.Info("AWS answers again", "what", what)
	}
}

// pause tells when polls begin to pause.
func (o *once) pause(on bool) {
	if on && !o.now["ceiling"] {
		o.log.Warn("Polls pause: cloudwatch.max_usd_per_hour is reached")
	}
	o.now["ceiling"] = on
}

// message tells what CloudWatch adds to its answers, each code once.
func (o *once) message(code, text string) {
	if what := "message:" + code; !o.now[what] {
		o.now[what] = true
		o.log.Warn("CloudWatch sent a message", "code", code, "text", text)
	}
}

// denied says whether AWS refused for want of a permission.
func denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains([]string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}, api.ErrorCode())
}

// throttled says whether AWS refused because it was asked too much.
func throttled(err error) bool { return err != nil && strings.HasPrefix(errorCode(err), "Throttling") }

// errorCode is the code of an error of the SDK as a label: AWS's own, or
// http_503, timeout, canceled, network.
func errorCode(err error) string {
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	var netErr net.Error
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "":
		return api.ErrorCode()
	case errors.As(err, &response) && response.HTTPStatusCode() > 0:
		return "http_" + strconv.Itoa(response.HTTPStatusCode())
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, new(*credentialsError)):
		return "credentials"
	}
	return "network"
}
