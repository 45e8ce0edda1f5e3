//go:build cgo && onnxruntime

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/atelier-dao/atelier/model/onnx"
)

const (
	hasRuntime   = true
	runtimeNeeds = "ONNX Runtime's shared library, named by --library or " + LibraryVariable
)

// loaded is the library of this process; there is one, and it stays.
var loaded struct {
	mu   sync.Mutex
	path string // guarded by mu; "" for none yet
}

func load(path string) error {
	loaded.mu.Lock()
	defer loaded.mu.Unlock()
	switch {
	case path == "":
		return fmt.Errorf("%w here: %s needs %s", ErrEngine, ONNXRuntime, runtimeNeeds)
	case loaded.path == path:
		return nil
	case loaded.path != "":
		return fmt.Errorf("%w: this process has loaded %s already", ErrEngine, loaded.path)
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("%w: %s is no library of ONNX Runtime 1.24 or later: %v", ErrEngine, path, err)
	}
	loaded.path = path
	return nil
}

// openRuntime trusts the library with the file: what its operators do is bounded
// by the library alone.
func openRuntime(file *onnx.File, library string) (string, func() (runner, error), error) {
	if err := load(library); err != nil {
		return "", nil, err
	}
	start := func() (runner, error) { return newLarge(file) }
	r, err := start() // the first session tells whether it can be run
	if err != nil {
		return "", nil, err
	}
	return "ONNX Runtime " + ort.GetVersion(), start, r.close()
}

// large runs a file with ONNX Runtime, on one thread.
type large struct {
	session         *ort.DynamicAdvancedSession
	places, colours *ort.Tensor[float32]
}

func newLarge(file *onnx.File) (_ runner, err error) {
	l := &large{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.places, err = ort.NewEmptyTensor[float32](ort.NewShape(batch, 2)); err != nil {
		return nil, err
	}
	if l.colours, err = ort.NewEmptyTensor[float32](ort.NewShape(batch, 3)); err != nil {
		return nil, err
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	if err := errors.Join(o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1)); err != nil {
		return nil, err
	}
	l.session, err = ort.NewDynamicAdvancedSessionWithONNXData(file.Bytes(), []string{onnx.Places}, []string{onnx.Colour}, o)
	if err != nil {
		return nil, fmt.Errorf("%w: ONNX Runtime says: %v", onnx.ErrFile, err)
	}
	return l, nil
}

func (l *large) run(_ context.Context, places []float32) ([]float32, error) {
	copy(l.places.GetData(), places)
	if err := l.session.Run([]ort.Value{l.places}, []ort.Value{l.colours}); err != nil {
		return nil, fmt.Errorf("%w: ONNX Runtime says: %v", onnx.ErrFile, err)
	}
	return l.colours.GetData(), nil
}

func (l *large) close() error {
	var all error
	if l.session != nil {
		all = l.session.Destroy()
	}
	for _, t := range []*ort.Tensor[float32]{l.places, l.colours} {
		if t != nil {
			all = errors.Join(all, t.Destroy())
		}
	}
	return all
}
