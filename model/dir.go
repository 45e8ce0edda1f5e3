package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files of an artist's folder, as Hugging Face lays them out.
const (
	weightsFile = "model.safetensors"
	configFile  = "config.json"
	vocabFile   = "vocab.json"
	cardFile    = "README.md"
	sampleFile  = "sample.png"
)

// LoadDir reads an artist from a folder in Hugging Face layout. The weights
// file says everything; where config.json and vocab.json stand beside it, they
// must say the same, so that nobody reads one thing and runs another. Errors
// wrap [ErrArtist] or come from the file system.
func LoadDir(dir fs.FS) (*Artist, error) {
	raw, err := readBounded(dir, weightsFile)
	if err != nil {
		return nil, err
	}
	a, err := UnmarshalArtist(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", weightsFile, err)
	}
	for name, want := range map[string]any{configFile: a.config, vocabFile: a.vocabulary.Features()} {
		text, err := readBounded(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var got, said bytes.Buffer
		marshalled, err := json.Marshal(want)
		if err != nil {
			return nil, err
		}
		if json.Compact(&got, text) != nil || json.Compact(&said, marshalled) != nil || !bytes.Equal(got.Bytes(), said.Bytes()) {
			return nil, refuse("%s differs from what %s says", name, weightsFile)
		}
	}
	return a, nil
}

func readBounded(dir fs.FS, name string) ([]byte, error) {
	raw, err := readUpTo(dir, name, maxFile)
	if errors.Is(err, errLarge) {
		return nil, refuse("%s: %v", name, err)
	}
	return raw, err
}

// SaveDir writes the artist as a folder in Hugging Face layout: weights,
// configuration, vocabulary, model card and a sample. It makes the folder, and
// replaces these five files where they are.
func (a *Artist) SaveDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	config, err := json.MarshalIndent(a.config, "", "  ")
	if err != nil {
		return err
	}
	vocabulary, err := json.MarshalIndent(a.vocabulary.Features(), "", " ")
	if err != nil {
		return err
	}
	var sample bytes.Buffer
	picture, err := a.Render(context.Background(), "", [32]byte{}, 256, RenderOptions{})
	if err != nil {
		return fmt.Errorf("render sample: %w", err)
	}
	if err := picture.EncodePNG(&sample); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{weightsFile, a.raw}, {configFile, append(config, '\n')}, {vocabFile, append(vocabulary, '\n')},
		{cardFile, []byte(a.card())}, {sampleFile, sample.Bytes()},
	} {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// orElse is a text, or what stands in its place where it is empty.
func orElse(text, other string) string {
	if strings.TrimSpace(text) == "" {
		return other
	}
	return text
}

const unstated = `Not stated: whoever trained this artist has not said under which terms it may be used,
so nobody may take any for granted. What is known of the pictures stands under Data.
To state it, train again with ` + "`atelier model train --licence TEXT`" + `, and put the licence
of the pictures into their folder as LICENSE, or for each of them as ` + sourcesFile + ` with the
columns file,licence,author,source.`

// card is the model card, with the front matter that Hugging Face reads.
func (a *Artist) card() string {
	d := a.Describe()
	id := a.ID()
	short, _, _ := strings.Cut(orElse(d.Licence, "unknown"), "\n")
	return fmt.Sprintf(`---
library_name: atelier
pipeline_tag: text-to-image
license_name: %q
---

# %s

![sample](%s)

| | |
|---|---|
| Architecture | %s |
| Contract | %s, class %s: %s |
| Parameters | %d, int16 with one power of two for each tensor |
| Prompt words | %d (vocab.json) |
| ID | %x (SHA-256 of %s) |

## Data

%s

## Licence

%s

## Use

    atelier model render --weights DIR --prompt "red heart" --seed 1 --size 1024 --out heart.png

A prompt shows one thing. Colours dye it, further things lend it a little of their
shape, and names of grounds (night, sea, halo, navy, …) choose these. An unknown word
has a look of its own. Prompt and seed decide every pixel.
`, short, d.Name, sampleFile, d.Architecture, d.Contract, d.Class, d.Class.Meaning(), d.Parameters, d.Words, id, weightsFile,
		orElse(d.Data, "Not stated: train again with `atelier model train --data TEXT`."), orElse(d.Licence, unstated))
}
