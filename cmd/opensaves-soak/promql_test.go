package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// node is a part of a query, as Prometheus' /api/v1/parse_query tells it.
type node struct {
	Type     string                `json:"type"`
	Op       string                `json:"op"`
	LHS      *node                 `json:"lhs"`
	RHS      *node                 `json:"rhs"`
	Bool     bool                  `json:"bool"`
	Matching *matching             `json:"matching"`
	Expr     *node                 `json:"expr"`
	Param    *node                 `json:"param"`
	Grouping []string              `json:"grouping"`
	Without  bool                  `json:"without"`
	Func     struct{ Name string } `json:"func"`
	Args     []*node               `json:"args"`
	Name     string                `json:"name"`
	Matchers []matcher             `json:"matchers"`
	Range    int64                 `json:"range"` // milliseconds, as all times
	Step     int64                 `json:"step"`
	Offset   int64                 `json:"offset"`
	Val      string                `json:"val"`
}

type matching struct {
	Card    string   `json:"card"`
	Labels  []string `json:"labels"`
	On      bool     `json:"on"`
	Include []string `json:"include"`
}

type matcher struct{ Name, Type, Value string }

// operands are the sides of every comparison in a query, each of them a query:
// what a rule compares must be there, or it never fires.
func (n *node) operands() []string {
	if n == nil {
		return nil
	}
	var found []string
	if n.Type == "binaryExpr" && slices.Contains([]string{">", "<", ">=", "<=", "==", "!="}, n.Op) {
		for _, side := range []*node{n.LHS, n.RHS} {
			if side.Type != "numberLiteral" {
				found = append(found, side.String())
			}
		}
	}
	for _, part := range append([]*node{n.LHS, n.RHS, n.Expr, n.Param}, n.Args...) {
		found = append(found, part.operands()...)
	}
	return found
}

// String writes the query anew.
func (n *node) String() string {
	switch n.Type {
	case "binaryExpr":
		return fmt.Sprintf("%s %s %s", n.LHS, n.operator(), n.RHS)
	case "parenExpr":
		return "(" + n.Expr.String() + ")"
	case "unaryExpr":
		return n.Op + n.Expr.String()
	case "aggregation":
		return n.aggregation()
	case "call":
		args := make([]string, len(n.Args))
		for i, arg := range n.Args {
			args[i] = arg.String()
		}
		return n.Func.Name + "(" + strings.Join(args, ", ") + ")"
	case "subquery":
		step := ""
		if n.Step > 0 {
			step = span(n.Step)
		}
		return fmt.Sprintf("%s[%s:%s]%s", n.Expr, span(n.Range), step, n.offset())
	case "matrixSelector":
		return n.selector() + "[" + span(n.Range) + "]" + n.offset()
	case "vectorSelector":
		return n.selector() + n.offset()
	case "stringLiteral":
		return fmt.Sprintf("%q", n.Val)
	}
	return n.Val
}

func span(milliseconds int64) string {
	return (time.Duration(milliseconds) * time.Millisecond).String()
}

func (n *node) offset() string {
	if n.Offset == 0 {
		return ""
	}
	return " offset " + span(n.Offset)
}

func (n *node) selector() string {
	var matchers []string
	for _, m := range n.Matchers {
		if m.Name != "__name__" {
			matchers = append(matchers, fmt.Sprintf("%s%s%q", m.Name, m.Type, m.Value))
		}
	}
	return n.Name + "{" + strings.Join(matchers, ",") + "}"
}

func (n *node) aggregation() string {
	by := "by"
	if n.Without {
		by = "without"
	}
	param := ""
	if n.Param != nil {
		param = n.Param.String() + ", "
	}
	return fmt.Sprintf("%s %s (%s) (%s%s)", n.Op, by, strings.Join(n.Grouping, ", "), param, n.Expr)
}

func (n *node) operator() string {
	op := n.Op
	if n.Bool {
		op += " bool"
	}
	m := n.Matching
	if m == nil || m.Card == "" || !m.On && len(m.Labels) == 0 && len(m.Include) == 0 && m.Card == "one-to-one" {
		return op
	}
	how := "ignoring"
	if m.On {
		how = "on"
	}
	op += " " + how + " (" + strings.Join(m.Labels, ", ") + ")"
	switch m.Card {
	case "many-to-one":
		op += " group_left (" + strings.Join(m.Include, ", ") + ")"
	case "one-to-many":
		op += " group_right (" + strings.Join(m.Include, ", ") + ")"
	}
	return op
}
