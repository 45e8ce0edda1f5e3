package engine

import (
	"context"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
)

// exact is an artist of the project's own contract.
type exact struct{ artist *model.Artist }

// Own is an artist of the contract phase-16 behind the interface.
func Own(a *model.Artist) Artist { return exact{a} }

func (e exact) Describe() Description {
	return Description{Engine: Phase16, Class: e.artist.Describe().Class, Prompts: true}
}

func (e exact) Fold(prompt string, seed [32]byte) (Program, error) {
	p, err := e.artist.Fold(prompt, seed)
	if err != nil {
		return nil, err
	}
	return exactProgram{p}, nil
}

func (e exact) Close() error { return nil }

type exactProgram struct{ program *kernel.Program }

func (e exactProgram) RenderTile(ctx context.Context, w, h, tx, ty int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return kernel.RenderTile(e.program, w, h, tx, ty, kernel.Options{})
}
