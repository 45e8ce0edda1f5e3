package member_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// recorded seals a container and says what the ledger would hold of it.
func recorded(t testing.TB) (curation.Model, []byte, member.Sealing) {
	t.Helper()
	c, _, err := shamirtest.Run("container", 1, 1)
	require.NoError(t, err)
	s := member.Sealing{KeyEpoch: 3, Base: 2, Label: curation.Hash{7}, X: c.X()}
	var out bytes.Buffer
	r, err := s.Seal(chance{rand.New(rand.NewPCG(1, 2))}, &out, bytes.NewReader([]byte("plain")))
	require.NoError(t, err)
	require.Equal(t, curation.Hash(sha256.Sum256(out.Bytes())), r.ContainerHash)
	require.EqualValues(t, out.Len(), r.ContainerSize)
	require.Equal(t, []uint64{3, 2}, []uint64{r.KeyEpoch, r.Base})
	ct, err := seal.ParseCiphertext(r.Ciphertext)
	require.NoError(t, err)
	require.NoError(t, ct.Verify(s.X, s.Label))
	return curation.Model{KeyEpoch: 3, Ciphertext: r.Ciphertext, ContainerHash: r.ContainerHash, ContainerSize: r.ContainerSize}, out.Bytes(), s
}

func TestAContainerIsHeldAgainstTheLedger(t *testing.T) {
	m, content, s := recorded(t)
	require.NoError(t, member.CheckContainer(bytes.NewReader(content), m))
	var other bytes.Buffer
	_, err := s.Seal(chance{rand.New(rand.NewPCG(3, 4))}, &other, bytes.NewReader([]byte("plain")))
	require.NoError(t, err)
	for name, c := range map[string][]byte{
		"nothing": nil, "garbage": []byte("garbage"), "a byte more": append(bytes.Clone(content), 0),
		"a byte less": content[:len(content)-1], "its header alone": content[:len(content)-30],
	} {
		require.ErrorIs(t, member.CheckContainer(bytes.NewReader(c), m), member.ErrContainer, name)
	}
	bigger := m
	bigger.ContainerSize++
	require.ErrorIs(t, member.CheckContainer(bytes.NewReader(content), bigger), member.ErrContainer)
	foreign := m
	foreign.Ciphertext = append(bytes.Clone(m.Ciphertext), 0)
	require.ErrorContains(t, member.CheckContainer(bytes.NewReader(content), foreign), "key epoch 3")
	broken := errors.New("broken disk")
	err = member.CheckContainer(&failing{content[:len(content)-5], broken}, m)
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, member.ErrContainer, "a disk that fails says nothing about the container")
}

// failing reads some bytes and then fails.
type failing struct {
	left []byte
	err  error
}

func (f *failing) Read(b []byte) (int, error) {
	if len(f.left) == 0 {
		return 0, f.err
	}
	n := copy(b, f.left)
	f.left = f.left[n:]
	return n, nil
}

// FuzzContainer reads what a stranger says is a container: it is the one that the ledger
// tells of, or it is not.
func FuzzContainer(f *testing.F) {
	m, content, _ := recorded(f)
	f.Add(content)
	f.Add(content[:100])
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		err := member.CheckContainer(bytes.NewReader(b), m)
		if bytes.Equal(b, content) {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, member.ErrContainer)
		}
	})
}
