package dashboards

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	soak = Placement{FolderUID: "soak", FolderTitle: "Soak"}
	two  = []Board{
		{Name: "a", UID: "soak-a", Title: "A", JSON: []byte(`{"uid": "soak-a", "title": "A", "panels": [{"title": "P", "x": 1}]}`)},
		{Name: "b", UID: "soak-b", Title: "B", JSON: []byte(`{"uid": "soak-b", "title": "B"}`)},
	}
)

// applied is s after both boards went into folder soak.
func applied(t *testing.T, s *grafana) Grafana {
	t.Helper()
	g := serve(t, s)
	if _, err := g.Apply(t.Context(), two, soak); err != nil {
		t.Fatal(err)
	}
	s.writes = nil
	return g
}

func expect(t *testing.T, got []Change, err error, want []Change) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

// refused wants an error that says all of the words, and not the token.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error, want one")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got error %q, want one that says %q", err, word)
		}
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("got error %q, want one without the token", err)
	}
}

func TestApplyCreatesTheFolderAndTheBoards(t *testing.T) {
	s := &grafana{}
	got, err := serve(t, s).Apply(t.Context(), two, soak)
	expect(t, got, err, []Change{{What: "folder soak", Action: Created}, {What: "board a", Action: Created}, {What: "board b", Action: Created}})
	if s.folders["soak"] != "Soak" || s.boards["soak-a"].folder != "soak" || s.boards["soak-b"].content["title"] != "B" {
		t.Errorf("got %+v, %+v, want both boards in the folder", s.folders, s.boards)
	}
}

func TestApplyWritesNothingTwice(t *testing.T) {
	s := &grafana{}
	got, err := applied(t, s).Apply(t.Context(), two, soak)
	expect(t, got, err, []Change{{What: "folder soak", Action: Unchanged}, {What: "board a", Action: Unchanged}, {What: "board b", Action: Unchanged}})
	if len(s.writes) > 0 {
		t.Errorf("got writes %v, want none", s.writes)
	}
}

func TestTheBoardsThemselvesAreAppliedOnce(t *testing.T) {
	g, boards := serve(t, &grafana{}), built(t)
	for range 2 {
		got, err := g.Apply(t.Context(), boards, soak)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(boards)+1 {
			t.Errorf("got %d changes, want %d", len(got), len(boards)+1)
		}
	}
	got, err := g.Apply(t.Context(), boards, soak)
	for _, change := range got {
		if err != nil || change.Action != Unchanged {
			t.Errorf("got %+v, %v, want it unchanged", change, err)
		}
	}
}

func changed() []Board {
	return []Board{{Name: "a", UID: "soak-a", JSON: []byte(`{"uid": "soak-a", "title": "A", "panels": [{"title": "P", "x": 2}]}`)}, two[1]}
}

var update = []Change{
	{What: "folder soak", Action: Unchanged},
	{What: "board a", Action: Updated, Diff: []string{`- panels["P"].x: 1`, `+ panels["P"].x: 2`}},
	{What: "board b", Action: Unchanged},
}

func TestApplyUpdatesWhatDiffersAlone(t *testing.T) {
	s := &grafana{}
	got, err := applied(t, s).Apply(t.Context(), changed(), soak)
	expect(t, got, err, update)
	if diff := cmp.Diff([]string{"/grafana/api/dashboards/db"}, s.writes); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got := s.boards["soak-a"].content["version"]; got != 2.0 {
		t.Errorf("got version %v, want 2", got)
	}
}

func TestADryRunShowsTheDifferenceAndWritesNothing(t *testing.T) {
	s, dry := &grafana{}, soak
	dry.DryRun = true
	got, err := applied(t, s).Apply(t.Context(), changed(), dry)
	expect(t, got, err, update)
	got, err = serve(t, &grafana{}).Apply(t.Context(), two[:1], dry)
	expect(t, got, err, []Change{{What: "folder soak", Action: Created}, {What: "board a", Action: Created}})
	if len(s.writes) > 0 {
		t.Errorf("got writes %v, want none", s.writes)
	}
}

func TestABoardInAnotherFolderIsLeftThereUnlessOverwritten(t *testing.T) {
	s := &grafana{}
	g := applied(t, s)
	s.boards["soak-b"] = stored{"other", s.boards["soak-b"].content}
	_, err := g.Apply(t.Context(), changed(), soak)
	refused(t, err, "board b", "soak-b", `"other"`, `"soak"`)
	if len(s.writes) > 0 {
		t.Errorf("got writes %v, want none, of board a neither", s.writes)
	}
	over := soak
	over.Overwrite = true
	got, err := g.Apply(t.Context(), two[1:], over)
	expect(t, got, err, []Change{
		{What: "folder soak", Action: Unchanged},
		{What: "board b", Action: Updated, Diff: []string{`- folder: "other"`, `+ folder: "soak"`}},
	})
	if s.boards["soak-b"].folder != "soak" {
		t.Errorf("got folder %q, want soak", s.boards["soak-b"].folder)
	}
}

func TestABoardThatSomebodySavesMeanwhileIsLeftUnlessOverwritten(t *testing.T) {
	s := &grafana{}
	g := applied(t, s)
	s.meanwhile = func(s *grafana) {
		b := stored{"soak", maps.Clone(s.boards["soak-a"].content)}
		b.content["version"] = b.content["version"].(float64) + 1
		s.boards["soak-a"] = b
	}
	got, err := g.Apply(t.Context(), changed(), soak)
	refused(t, err, "saving board a", "412", "version-mismatch", "overwrite")
	if diff := cmp.Diff([]Change{{What: "folder soak", Action: Unchanged}}, got); diff != "" {
		t.Errorf("of what was done: wanted -, got +\n%s", diff)
	}
	over := soak
	over.Overwrite = true
	got, err = g.Apply(t.Context(), changed(), over)
	expect(t, got, err, update)
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	g := serve(t, &grafana{})
	g.Token = "wrong"
	_, err := g.Apply(t.Context(), two, soak)
	refused(t, err, "reading folder soak", "401", "Invalid API key", "want a token that is valid")

	_, err = serve(t, &grafana{forbidden: true}).Apply(t.Context(), two, soak)
	refused(t, err, "creating folder soak", "403", "additional permissions", "may read and write")

	for _, address := range []string{"", "grafana:3000", "ftp://grafana", "http://%zz"} {
		_, err = Grafana{URL: address, Token: token}.Apply(t.Context(), two, soak)
		refused(t, err, "http or https")
	}
	_, err = g.Apply(t.Context(), two, Placement{FolderUID: "../admin"})
	refused(t, err, `"../admin"`)
}

func TestAnAnswerThatIsNotGrafanasIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		words []string
	}{
		"a redirect":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, []string{"302", "to /login"}},
		"a page":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, []string{"reading board a", "invalid character"}},
		"a broken server": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, []string{"502 Bad Gateway"}},
		"an endless answer": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, endless{}, answerLimit+1) }, []string{"more than 16777216 bytes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.serve)
			defer server.Close()
			_, err := Grafana{URL: server.URL, Token: token}.Apply(t.Context(), two, soak)
			refused(t, err, c.words...)
		})
	}
}

// endless is a file of spaces, which JSON may begin with.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
