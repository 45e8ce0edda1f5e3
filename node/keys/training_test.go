package keys

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func identityOf(b byte) ed25519.PrivateKey {
	seed := [ed25519.SeedSize]byte{b}
	return ed25519.NewKeyFromSeed(seed[:])
}

func TestTheStateOfATrainingIsReadByItsMemberAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	number, state, err := LoadTraining(path, identityOf(1))
	require.NoError(t, err)
	require.Zero(t, number)
	require.Nil(t, state)

	secret := []byte("a seed that nobody may see")
	require.NoError(t, SaveTraining(path, identityOf(1), 6, []byte("before")))
	require.NoError(t, SaveTraining(path, identityOf(1), 7, secret))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "nobody may see")
	number, state, err = LoadTraining(path, identityOf(1))
	require.NoError(t, err)
	require.Equal(t, uint64(7), number)
	require.Equal(t, secret, state)

	_, _, err = LoadTraining(path, identityOf(2))
	require.ErrorContains(t, err, "delete it")
	raw[8] ^= 1 // another number
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	_, _, err = LoadTraining(path, identityOf(1))
	require.ErrorContains(t, err, "delete it")

	require.NoError(t, EraseTraining(path))
	require.NoFileExists(t, path)
	require.NoError(t, EraseTraining(path), "it is gone already")
}

func FuzzTrainingState(f *testing.F) {
	path := filepath.Join(f.TempDir(), "state")
	require.NoError(f, SaveTraining(path, identityOf(1), 1, []byte("state")))
	raw, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte{})
	f.Add(raw[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, state, err := openTraining("state", identityOf(1), b); err == nil {
			require.Equal(t, raw, b, "nobody else has the key")
			require.Equal(t, []byte("state"), state)
		}
	})
}
