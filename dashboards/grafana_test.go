package dashboards

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// grafana answers as Grafana's API does.
type grafana struct {
	mu        sync.Mutex
	folders   map[string]string // titles by uid
	boards    map[string]stored
	forbidden bool             // the token may not write
	meanwhile func(s *grafana) // called before a board is saved
	writes    []string
}

type stored struct {
	folder  string
	content map[string]any
}

const token = "glsa_secret"

func serve(t *testing.T, s *grafana) Grafana {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /grafana/api/folders/{uid}", s.readFolder)
	mux.HandleFunc("POST /grafana/api/folders", s.createFolder)
	mux.HandleFunc("GET /grafana/api/dashboards/uid/{uid}", s.readBoard)
	mux.HandleFunc("POST /grafana/api/dashboards/db", s.saveBoard)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+token {
			answer(w, http.StatusUnauthorized, map[string]any{"message": "Invalid API key"})
			return
		}
		if r.Method == http.MethodPost {
			s.writes = append(s.writes, r.URL.Path)
			if s.forbidden {
				answer(w, http.StatusForbidden, map[string]any{"message": "You'll need additional permissions"})
				return
			}
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if s.folders == nil {
		s.folders = map[string]string{}
	}
	if s.boards == nil {
		s.boards = map[string]stored{}
	}
	return Grafana{URL: server.URL + "/grafana/", Token: token}
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}

func (s *grafana) readFolder(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	title, ok := s.folders[uid]
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"message": "folder not found", "status": "not-found"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"id": 1, "uid": uid, "title": title})
}

func (s *grafana) createFolder(w http.ResponseWriter, r *http.Request) {
	var in struct{ UID, Title string }
	if !read(w, r, &in) {
		return
	}
	s.folders[in.UID] = in.Title
	answer(w, http.StatusOK, map[string]any{"id": 1, "uid": in.UID, "title": in.Title})
}

func (s *grafana) readBoard(w http.ResponseWriter, r *http.Request) {
	b, ok := s.boards[r.PathValue("uid")]
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"message": "Dashboard not found"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"meta": map[string]any{"folderUid": b.folder, "provisioned": false}, "dashboard": b.content})
}

func (s *grafana) saveBoard(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Dashboard map[string]any
		FolderUID string
		Overwrite bool
	}
	if !read(w, r, &in) {
		return
	}
	if s.meanwhile != nil {
		s.meanwhile(s)
	}
	uid, _ := in.Dashboard["uid"].(string)
	there, ok := s.boards[uid]
	version := 0.0
	if ok {
		version = there.content["version"].(float64)
		if in.Dashboard["version"] != version && !in.Overwrite {
			answer(w, http.StatusPreconditionFailed, map[string]any{"status": "version-mismatch", "message": "The dashboard has been changed by someone else"})
			return
		}
	}
	if s.folders[in.FolderUID] == "" {
		answer(w, http.StatusBadRequest, map[string]any{"message": "folder not found"})
		return
	}
	in.Dashboard["id"], in.Dashboard["version"] = 7.0, version+1
	s.boards[uid] = stored{in.FolderUID, in.Dashboard}
	answer(w, http.StatusOK, map[string]any{"status": "success", "uid": uid, "version": version + 1})
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"message": "bad request data"})
	}
	return err == nil
}
