package keys

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAGuardiansSeedsLieBesideItsKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gerda.age")
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	require.NoError(t, SaveAccount(path, "", key))
	none, err := LoadSharings(path, "")
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, SaveSharing(path, "", 1, [32]byte{7}))
	require.NoError(t, SaveSharing(path, "", 2, [32]byte{8}))
	require.ErrorContains(t, SaveSharing(path, "", 2, [32]byte{9}), "never overwritten")
	seeds, err := LoadSharings(path, "another passphrase")
	require.NoError(t, err, "the one beside the key goes first")
	require.Equal(t, map[uint64][32]byte{1: {7}, 2: {8}}, seeds)
	b, err := os.ReadFile(path + ".sharing-1.age")
	require.NoError(t, err)
	require.NotContains(t, string(b), "seed")
	require.NoError(t, EraseSharing(path, 1))
	require.NoError(t, EraseSharing(path, 1), "twice is no error")
	seeds, err = LoadSharings(path, "")
	require.NoError(t, err)
	require.Equal(t, map[uint64][32]byte{2: {8}}, seeds)
	require.NoError(t, os.WriteFile(path+".sharing-3.age", []byte("garbage"), 0o600))
	_, err = LoadSharings(path, "")
	require.ErrorContains(t, err, "sharing-3.age")
	require.NoError(t, os.Rename(path+".sharing-3.age", path+".sharing-x.age"))
	_, err = LoadSharings(path, "")
	require.ErrorContains(t, err, "move it away")
}
