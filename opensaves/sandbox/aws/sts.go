package aws

import (
	"cmp"
	"encoding/xml"
	"strconv"
	"strings"
	"time"
)

type callerIdentity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResponse"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
}

func (c *Cloud) getCallerIdentity(call) (any, error) {
	return callerIdentity{
		Account: c.account.ID, Arn: "arn:aws:iam::" + c.account.ID + ":user/sandbox", UserID: "AIDASANDBOX",
	}, nil
}

type assumedRole struct {
	XMLName     xml.Name        `xml:"AssumeRoleResponse"`
	User        assumedRoleUser `xml:"AssumeRoleResult>AssumedRoleUser"`
	Credentials credentials     `xml:"AssumeRoleResult>Credentials"`
}

type assumedRoleUser struct {
	Arn           string
	AssumedRoleID string `xml:"AssumedRoleId"`
}

type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// assumeRole lets everyone assume every role. The session token, which a client
// sends with each request then, names the role, the session and the external ID.
func (c *Cloud) assumeRole(call call) (any, error) {
	role, session := call.form.Get("RoleArn"), call.form.Get("RoleSessionName")
	lasts, err := strconv.Atoi(cmp.Or(call.form.Get("DurationSeconds"), "3600"))
	name, isRole := strings.CutPrefix(role, "arn:aws:iam::"+c.account.ID+":role/")
	switch {
	case err != nil || lasts < 900 || lasts > 43200:
		return nil, refused("ValidationError", "DurationSeconds: got %q, want 900 to 43200", call.form.Get("DurationSeconds"))
	case !isRole || session == "":
		return nil, refused("ValidationError", "got role %q and session %q, want a role of the account and a session", role, session)
	}
	return assumedRole{
		User: assumedRoleUser{
			Arn:           "arn:aws:sts::" + c.account.ID + ":assumed-role/" + name + "/" + session,
			AssumedRoleID: "AROASANDBOX:" + session,
		},
		Credentials: credentials{
			AccessKeyID: "ASIASANDBOX", SecretAccessKey: "sandbox",
			SessionToken: strings.Join([]string{role, session, call.form.Get("ExternalId")}, " "),
			Expiration:   call.now.UTC().Add(time.Duration(lasts) * time.Second),
		},
	}, nil
}
