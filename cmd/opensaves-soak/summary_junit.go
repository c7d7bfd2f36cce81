package main

import (
	"encoding/xml"
	"fmt"
	"io"
)

// The elements of JUnit's XML that CI systems read, see
// https://github.com/testmoapp/junitxml.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []junitSuite
	}
	junitSuite struct {
		XMLName   xml.Name `xml:"testsuite"`
		Name      string   `xml:"name,attr"`
		Tests     int      `xml:"tests,attr"`
		Failures  int      `xml:"failures,attr"`
		Errors    int      `xml:"errors,attr"`
		Skipped   int      `xml:"skipped,attr"`
		Time      string   `xml:"time,attr"`
		Timestamp string   `xml:"timestamp,attr"`
		Cases     []junitCase
	}
	junitCase struct {
		XMLName   xml.Name      `xml:"testcase"`
		Class     string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitMessage `xml:"failure,omitempty"`
		Skipped   *junitMessage `xml:"skipped,omitempty"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
	}
)

// writeJUnit writes a test case for each objective, for each way in which an
// answer can be wrong, and for a search.
func (s *summary) writeJUnit(to io.Writer) error {
	suite := junitSuite{
		Name: name, Time: fmt.Sprintf("%.3f", s.Duration+s.Warmup), Timestamp: s.Started.Format("2006-01-02T15:04:05"),
	}
	for _, o := range s.Objectives {
		suite.add(s.objectiveCase(o))
	}
	for _, v := range s.Violations {
		suite.add(violationCase(v))
	}
	if s.Capacity != nil {
		suite.add(s.capacityCase())
	}
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(to)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(to, "\n")
	return err
}

func (s *junitSuite) add(c junitCase) {
	c.Time = "0"
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func (s *summary) objectiveCase(o outcome) junitCase {
	c := junitCase{Class: name + ".objectives", Name: o.Name}
	said := &junitMessage{Message: o.String()}
	switch {
	case o.Status == noData:
		c.Skipped = said
	case o.Status == missed && s.Complete:
		c.Failure = said
	case o.Status == missed:
		c.Skipped = &junitMessage{Message: "the run was ended early: " + o.String()}
	default:
		c.SystemOut = o.String()
	}
	return c
}

func violationCase(v violation) junitCase {
	c := junitCase{Class: name + ".violations", Name: v.Check + " " + v.Kind}
	if v.wrong() {
		c.Failure = &junitMessage{Message: fmt.Sprintf("got %s wrong answers, want none", v.Count.whole())}
	}
	return c
}
