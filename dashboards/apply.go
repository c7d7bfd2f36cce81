package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
)

// Placement is where boards go, and what may be done for it.
type Placement struct {
	FolderUID   string // created where it is missing
	FolderTitle string // of a folder that is created
	Overwrite   bool   // also boards that stand in another folder, or that somebody saves at the same moment
	DryRun      bool   // write nothing
}

// Action is what Apply did with something, or would do.
type Action string

// The actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Change is what became of a folder or board.
type Change struct {
	What   string // "folder UID" or "board NAME"
	Action Action
	Diff   []string // of a board that is updated: lines that begin with - and +
}

// existing is a board as Grafana has it; its content is nil where it has none.
type existing struct {
	Dashboard map[string]any `json:"dashboard"`
	Meta      struct {
		FolderUID string `json:"folderUid"`
	} `json:"meta"`
}

// plan is a board and what is to be done with it.
type plan struct {
	board   Board
	content map[string]any
	change  Change
}

// Apply brings the boards into a folder of Grafana. It looks at all of them
// before it writes the first, and writes none that is there already. It tries
// nothing twice: with an error it returns what was done before, and can be
// called again.
func (g Grafana) Apply(ctx context.Context, boards []Board, p Placement) ([]Change, error) {
	folder, err := g.folder(ctx, p)
	if err != nil {
		return nil, err
	}
	var plans []plan
	for _, b := range boards {
		one, err := g.plan(ctx, b, p)
		if err != nil {
			return nil, err
		}
		plans = append(plans, one)
	}
	return g.carryOut(ctx, p, folder, plans)
}

func (g Grafana) carryOut(ctx context.Context, p Placement, folder Change, plans []plan) ([]Change, error) {
	var done []Change
	if folder.Action == Created && !p.DryRun {
		body := map[string]string{"uid": p.FolderUID, "title": p.FolderTitle}
		if err := g.call(ctx, http.MethodPost, "/api/folders", body, nil); err != nil {
			return nil, fmt.Errorf("creating folder %s: %w", p.FolderUID, err)
		}
	}
	done = append(done, folder)
	for _, one := range plans {
		if one.change.Action != Unchanged && !p.DryRun {
			if err := g.save(ctx, one, p); err != nil {
				return done, err
			}
		}
		done = append(done, one.change)
	}
	return done, nil
}

func (g Grafana) folder(ctx context.Context, p Placement) (Change, error) {
	c := Change{What: "folder " + p.FolderUID, Action: Unchanged}
	if !validUID.MatchString(p.FolderUID) {
		return c, fmt.Errorf("reading folder: got uid %q, want up to 40 letters, digits, - and _", p.FolderUID)
	}
	err := g.call(ctx, http.MethodGet, "/api/folders/"+p.FolderUID, nil, nil)
	if missing(err) {
		c.Action = Created
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("reading folder %s: %w", p.FolderUID, err)
	}
	return c, nil
}

// plan compares a board with what Grafana has.
func (g Grafana) plan(ctx context.Context, b Board, p Placement) (plan, error) {
	one := plan{board: b, change: Change{What: "board " + b.Name, Action: Created}}
	if err := json.Unmarshal(b.JSON, &one.content); err != nil {
		return one, fmt.Errorf("reading board %s: %w", b.Name, err)
	}
	var there existing
	err := g.call(ctx, http.MethodGet, "/api/dashboards/uid/"+b.UID, nil, &there)
	if missing(err) {
		return one, nil
	}
	if err != nil {
		return one, fmt.Errorf("reading board %s: %w", b.Name, err)
	}
	moves := there.Meta.FolderUID != p.FolderUID
	if moves && !p.Overwrite {
		return one, fmt.Errorf("reading board %s: got uid %s in folder %q, want it in %q: move it, or overwrite",
			b.Name, b.UID, there.Meta.FolderUID, p.FolderUID)
	}
	one.compare(there, p, moves)
	return one, nil
}

func (one *plan) compare(there existing, p Placement, moves bool) {
	// Saving needs the version that the difference was made from.
	version := there.Dashboard["version"]
	for _, key := range []string{"id", "version"} { // Grafana's own
		delete(there.Dashboard, key)
		delete(one.content, key)
	}
	one.change.Action = Updated
	if moves {
		one.change.Diff = []string{fmt.Sprintf("- folder: %q", there.Meta.FolderUID), fmt.Sprintf("+ folder: %q", p.FolderUID)}
	} else if reflect.DeepEqual(there.Dashboard, one.content) {
		one.change.Action = Unchanged
	}
	one.change.Diff = append(one.change.Diff, difference("", there.Dashboard, one.content)...)
	one.content["version"] = version
}

func (g Grafana) save(ctx context.Context, one plan, p Placement) error {
	body := map[string]any{
		"dashboard": one.content, "folderUid": p.FolderUID, "overwrite": p.Overwrite, "message": "opensaves-soak dashboards",
	}
	err := g.call(ctx, http.MethodPost, "/api/dashboards/db", body, nil)
	var refused *statusError
	if errors.As(err, &refused) && refused.status == http.StatusPreconditionFailed {
		return fmt.Errorf("saving board %s: %w; somebody saved it, or its title, meanwhile: look at it and try again, or overwrite", one.board.Name, err)
	}
	if err != nil {
		return fmt.Errorf("saving board %s: %w", one.board.Name, err)
	}
	return nil
}
