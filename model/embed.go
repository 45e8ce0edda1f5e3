package model

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"
)

//go:embed genesis/model.safetensors genesis/pictures
var genesis embed.FS

var embedded = sync.OnceValue(func() *Artist {
	raw, err := genesis.ReadFile("genesis/" + weightsFile)
	if err == nil {
		var a *Artist
		if a, err = UnmarshalArtist(raw); err == nil {
			return a
		}
	}
	panic(fmt.Sprintf("model: the embedded artist is damaged: %v", err)) // built wrongly
})

// Embedded is the genesis artist, whose weights this binary carries. It is
// public by nature.
func Embedded() *Artist { return embedded() }

// embeddedPictures is the set from which a fine-tune learns.
func embeddedPictures() fs.FS {
	sub, err := fs.Sub(genesis, "genesis/pictures")
	if err != nil {
		panic(err) // the name is valid
	}
	return sub
}

// EmbeddedPictures are the pictures that the genesis artist was made of, small and flat.
func EmbeddedPictures() fs.FS { return embeddedPictures() }
