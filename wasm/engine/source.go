package engine

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// step is what a page is told of a key.
type step struct {
	Done    int         `json:"done"`
	Total   int         `json:"total"`
	Role    pki.Role    `json:"role"`
	Name    string      `json:"name"`
	Key     pki.KeySpec `json:"key"`
	Elapsed int64       `json:"elapsed"` // milliseconds
	Phase   string      `json:"phase"`   // start, done
}

// tellingSource tells when a key is begun; the core tells when one is done.
type tellingSource struct {
	pki.KeySource
	c       *call
	mu      sync.Mutex
	total   int
	done    int
	started map[pki.Role]time.Time
}

// source is the engine's source of keys for a run, with the progress of the run.
// Total is how many keys it will make, 0 where nobody knows yet.
func (c *call) source(total int) (pki.KeySource, pki.Progress) {
	s := &tellingSource{KeySource: c.engine.Keys, c: c, total: total, started: map[pki.Role]time.Time{}}
	return s, s.finished
}

// Key begins a key. Throw-away keys of the checks are not told.
func (s *tellingSource) Key(ctx context.Context, role pki.Role, spec pki.KeySpec) (pki.Key, error) {
	if role != pki.Lint {
		s.mu.Lock()
		s.started[role] = time.Now()
		s.tell(step{Done: s.done, Total: max(s.total, s.done+1), Role: role, Key: spec, Phase: "start"})
		s.mu.Unlock()
	}
	return s.KeySource.Key(ctx, role, spec)
}

// Concurrency is that of the source within, see [pki.Concurrent].
func (s *tellingSource) Concurrency() int {
	if many, ok := s.KeySource.(pki.Concurrent); ok {
		return many.Concurrency()
	}
	return 0
}

func (s *tellingSource) finished(p pki.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done, s.total = p.Done, p.Total
	s.tell(step{Done: p.Done, Total: p.Total, Role: p.Role, Key: p.Key, Elapsed: time.Since(s.started[p.Role]).Milliseconds(), Phase: "done"})
}

func (s *tellingSource) tell(st step) {
	if s.c.progress == nil {
		return
	}
	st.Name = report.RoleName(st.Role, s.c.Lang)
	if data, err := json.Marshal(st); err == nil {
		s.c.progress(data)
	}
}
