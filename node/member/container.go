package member

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// What effects ask of a sealed container, for whoever performs them.

// ErrContainer reports a container that is not the one that the ledger tells of.
var ErrContainer = errors.New("not the container that was recorded")

// Sealing is a container to be made: for which key epoch, under which label and key.
type Sealing struct {
	KeyEpoch uint64
	Base     uint64 // key epoch of the container inside; 0 when it is sealed from scratch
	Label    curation.Hash
	X        [32]byte
}

// Seal seals plain, which for a layer is the container inside, under a fresh key that is
// forgotten, and says all but where it lies.
func (s Sealing) Seal(rand io.Reader, w io.Writer, plain io.Reader) (curation.Rotate, error) {
	r := curation.Rotate{Base: s.Base, KeyEpoch: s.KeyEpoch}
	sum, size := sha256.New(), counter(0)
	err := model.Seal(io.MultiWriter(w, sum, &size), plain, func(fileKey []byte) ([]byte, error) {
		ct, err := seal.Encrypt(rand, s.X, s.Label, fileKey)
		if err != nil {
			return nil, err
		}
		r.Ciphertext = ct.Bytes()
		return r.Ciphertext, nil
	})
	r.ContainerHash, r.ContainerSize = curation.Hash(sum.Sum(nil)), uint64(size)
	return r, err
}

type counter uint64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// CheckContainer reads a whole container and holds it against what the ledger has of it,
// as far as that can be seen without the key. Its error wraps ErrContainer, or is that of
// the reader.
func CheckContainer(r io.Reader, m curation.Model) error {
	sum, size := sha256.New(), counter(0)
	all := io.TeeReader(r, io.MultiWriter(sum, &size))
	box, err := model.Box(all)
	switch {
	case errors.Is(err, model.ErrNotSealed):
		return fmt.Errorf("key epoch %d: %w: %w", m.KeyEpoch, ErrContainer, err)
	case err != nil:
		return err
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return err
	}
	switch {
	case !bytes.Equal(box, m.Ciphertext):
		return fmt.Errorf("key epoch %d: %w: it holds another key", m.KeyEpoch, ErrContainer)
	case curation.Hash(sum.Sum(nil)) != m.ContainerHash:
		return fmt.Errorf("key epoch %d: %w: its hash is another", m.KeyEpoch, ErrContainer)
	case uint64(size) != m.ContainerSize:
		return fmt.Errorf("key epoch %d: %w: it has %d bytes and not %d", m.KeyEpoch, ErrContainer, size, m.ContainerSize)
	}
	return nil
}

// Layer is a layer of a model with the key that opens it.
type Layer struct {
	Model   curation.Model
	FileKey []byte
}

// Unsealing is a sealed model with all that opens it.
type Unsealing struct {
	Layers []Layer          // the outermost first
	Sealer curation.Address // the account that holds the container first-hand
}

// Model is the outermost layer.
func (u Unsealing) Model() curation.Model { return u.Layers[0].Model }

// Open opens the container and returns the plain model file, which the caller wipes. The
// file keys are wiped. An error names the key epoch that does not open, and who sealed it.
func (u Unsealing) Open(container io.Reader) ([]byte, error) {
	var layers []model.Layer
	for _, l := range u.Layers {
		layers = append(layers, model.Layer{Name: epochName(l.Model), Box: l.Model.Ciphertext, FileKey: l.FileKey})
	}
	return model.OpenPlain(container, u.Model().PlainHash, layers...)
}

// Wipe destroys the file keys.
func (u Unsealing) Wipe() {
	for _, l := range u.Layers {
		clear(l.FileKey)
	}
}

// epochName is what notes and errors call a key epoch.
func epochName(m curation.Model) string {
	return fmt.Sprintf("key epoch %d, sealed by member %d", m.KeyEpoch, m.Sealer)
}
