package keys

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestACollectorsKeyComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "vera.age")
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	require.NoError(t, SaveAccount(path, "", key))

	have, err := LoadAccount(path, "of another file")
	require.NoError(t, err)
	require.Equal(t, key, have)

	require.ErrorContains(t, SaveAccount(path, "", key), "never overwritten")
	_, err = LoadAccount(path+"x", "")
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, p := range []string{path, keptBeside(path)} {
		info, err := os.Stat(p)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), p)
	}
}

func TestACollectorsKeyUnderAPassphraseOfOnesOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vera.age")
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	require.NoError(t, SaveAccount(path, "correct horse", key))
	require.NoFileExists(t, keptBeside(path))

	_, err = LoadAccount(path, "")
	require.ErrorIs(t, err, ErrNoPassphrase)
	_, err = LoadAccount(path, "wrong horse")
	require.ErrorIs(t, err, ErrPassphrase)
	have, err := LoadAccount(path, "correct horse")
	require.NoError(t, err)
	require.Equal(t, key, have)
}
