package kernel

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// engine is one implementation of the network.
type engine struct {
	name string
	make func(p *Program) network
}

// portable is the engine that runs everywhere.
var portable = engine{"reference", newReference}

// engines are those that this machine can run, fastest first.
var engines = append(vectorEngines(), portable)

// selected is the index in engines of the default.
var selected atomic.Int32

// Kernels names the kernels that this machine can run, fastest first; the last
// is always "reference".
func Kernels() []string {
	names := make([]string, len(engines))
	for i, e := range engines {
		names[i] = e.name
	}
	return names
}

// Select sets the kernel that renders use when their options name none, for
// the whole process; an empty name restores the fastest. The error wraps
// [ErrKernel]. It is safe for concurrent use.
func Select(name string) error {
	if name == "" {
		selected.Store(0)
		return nil
	}
	for i, e := range engines {
		if e.name == name {
			selected.Store(int32(i))
			return nil
		}
	}
	return fmt.Errorf("%w: %q; there are %s", ErrKernel, name, strings.Join(Kernels(), ", "))
}

// Selected is the name of the kernel that renders use when their options name
// none.
func Selected() string { return engines[selected.Load()].name }

func engineFor(name string) (engine, error) {
	if name == "" {
		return engines[selected.Load()], nil
	}
	for _, e := range engines {
		if e.name == name {
			return e, nil
		}
	}
	return engine{}, fmt.Errorf("%w: %q; there are %s", ErrKernel, name, strings.Join(Kernels(), ", "))
}
