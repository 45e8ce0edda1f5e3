package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Whether this member trains, and on which pictures, is its owner's to say, and stays in
// the home: nobody's pictures are used unless it was told to.

// joining is the owner's word.
type joining struct {
	Pictures string `json:"pictures"` // folder on this machine
}

func (n *Node) joiningFile() string { return filepath.Join(n.home.Training(), "join.json") }

// readJoining returns nil when this member does not train.
func (n *Node) readJoining() (*joining, error) {
	var j joining
	switch found, err := readStrict(n.joiningFile(), &j); {
	case err != nil:
		return nil, fmt.Errorf("%w; say again which pictures to train on with `atelier training join`", err)
	case !found || j.Pictures == "":
		return nil, nil
	}
	return &j, nil
}

// maxKept bounds what this member keeps of trainings in JSON.
const maxKept = 64 << 20

// readStrict reads a JSON file of our own; false when there is none.
func readStrict(path string, v any) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	var b []byte
	if err == nil && info.Size() > maxKept {
		err = fmt.Errorf("%d bytes, want at most %d", info.Size(), maxKept)
	}
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err == nil {
		err = strictjson.Unmarshal(b, v)
	}
	if err != nil {
		return false, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return true, nil
}

// JoinTrainings implements api.Backend: from now on this member takes part in trainings,
// with the pictures of a folder on this machine. It looks at all of them first.
func (n *Node) JoinTrainings(ctx context.Context, dir string) (api.Joined, error) {
	if !filepath.IsAbs(dir) {
		return api.Joined{}, fmt.Errorf("the folder of pictures is %q: give its whole path", dir)
	}
	out := api.Joined{Pictures: dir, LeftOut: []api.LeftOut{}}
	l, err := model.NewLearner(ctx, model.Embedded(), os.DirFS(dir), model.LearnerOptions{
		Workers: 1, Skipped: func(name string, why error) {
			out.LeftOut = append(out.LeftOut, api.LeftOut{File: name, Reason: why.Error()})
		},
	})
	if err != nil {
		return api.Joined{}, err
	}
	out.Count = l.Pictures()
	b, err := json.Marshal(joining{dir})
	if err != nil {
		return api.Joined{}, err
	}
	if err := os.MkdirAll(n.home.Training(), 0o700); err != nil {
		return api.Joined{}, err
	}
	if err := keys.WriteFile(n.joiningFile(), b, 0o600); err != nil {
		return api.Joined{}, err
	}
	n.pictures.Store(&joining{dir})
	return out, nil
}

// LeaveTrainings implements api.Backend: this member takes part in no training any more,
// and drops out of the one that is under way. What it learned at home stays.
func (n *Node) LeaveTrainings() error {
	if err := os.Remove(n.joiningFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	n.pictures.Store(nil)
	return nil
}

// OwnTraining implements api.Backend.
func (n *Node) OwnTraining() (own api.OwnTraining) {
	if j := n.pictures.Load(); j != nil {
		own.Pictures = j.Pictures
	}
	if w := n.actor.trainer.work(); w.Doing != "" {
		own.Work = &w
	}
	if s := n.judged.Load(); s != nil {
		own.Judged = &api.Judgement{Number: s.Number, Before: s.Before, After: s.After, Pictures: s.Forgotten.Pictures, Unlike: s.Forgotten.Unlike,
			Good: s.Dislikes() == nil, Says: s.Says()}
	}
	return own
}

// latents are what only this member's pictures taught, by word. They are kept for the
// next training, and shown to nobody.
type latents string

func (n *Node) latents() latents { return latents(filepath.Join(n.home.Training(), "latents.json")) }

func (l latents) load() (map[string][]float32, error) {
	rows := map[string][]float32{}
	if _, err := readStrict(string(l), &rows); err != nil {
		return nil, fmt.Errorf("%w; delete it, and those words are learned anew", err)
	}
	for word, row := range rows {
		for _, x := range row {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				delete(rows, word)
				break
			}
		}
	}
	return rows, nil
}

func (l latents) save(rows map[string][]float32) error {
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return keys.WriteFile(string(l), b, 0o600)
}
