package keys

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeedsOfHandovers(t *testing.T) {
	for name, passphrase := range map[string]string{"a passphrase of one's own": right, "a kept one": ""} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			s, err := New(rand.Reader)
			require.NoError(t, err)
			require.NoError(t, Save(home, passphrase, s))
			require.Equal(t, map[uint64][32]byte{1: s.Ceremony}, s.Seeds())

			require.Error(t, SaveSeed(home, passphrase, 1, [32]byte{1}), "that of the founding lies with the keys")
			require.NoError(t, SaveSeed(home, passphrase, 2, [32]byte{2}))
			require.ErrorContains(t, SaveSeed(home, passphrase, 2, [32]byte{3}), "never overwritten")
			require.NoError(t, SaveSeed(home, passphrase, 10, [32]byte{10}))
			all, err := Load(home, passphrase)
			require.NoError(t, err)
			require.Equal(t, map[uint64][32]byte{1: s.Ceremony, 2: {2}, 10: {10}}, all.Seeds())
			elsewhere := t.TempDir()
			require.NoError(t, Save(elsewhere, passphrase, all))
			copied, err := Load(elsewhere, passphrase)
			require.NoError(t, err)
			require.Equal(t, all, copied)
			info, err := os.Stat(filepath.Join(home, Dir, "epoch-2.age"))
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

			require.NoError(t, EraseSeed(home, passphrase, 1))
			require.NoError(t, EraseSeed(home, passphrase, 2))
			require.NoError(t, EraseSeed(home, passphrase, 2), "again")
			left, err := Load(home, passphrase)
			require.NoError(t, err)
			require.Zero(t, left.Ceremony)
			require.Equal(t, s.Identity, left.Identity)
			require.Equal(t, s.Prekeys, left.Prekeys)
			require.Equal(t, map[uint64][32]byte{10: {10}}, left.Seeds())
		})
	}
}

// A machine may stop between the overwriting of a seed and its removal, and a power
// cut may undo the removal: what is left must not keep the node from starting.
func TestASeedWhoseErasingWasCutShort(t *testing.T) {
	home := t.TempDir()
	s, err := New(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, Save(home, right, s))
	require.NoError(t, SaveSeed(home, right, 2, [32]byte{2}))
	require.NoError(t, SaveSeed(home, right, 3, [32]byte{3}))
	path := filepath.Join(home, Dir, "epoch-2.age")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, overwrite(path, info.Size()))
	left, err := Load(home, right)
	require.NoError(t, err)
	require.Equal(t, map[uint64][32]byte{1: s.Ceremony, 3: {3}}, left.Seeds())
	require.NoError(t, EraseSeed(home, right, 2))
	require.NoFileExists(t, path)
}

// Homes and key files have the names that people give them.
func TestSeedsAreFoundUnderAnyPath(t *testing.T) {
	const name = `[ateliers] {a,b} [x-] what? all* back\slash`
	home := filepath.Join(t.TempDir(), name, "ada")
	s, err := New(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, Save(home, right, s))
	require.NoError(t, SaveSeed(home, right, 2, [32]byte{2}))
	all, err := Load(home, right)
	require.NoError(t, err)
	require.Equal(t, map[uint64][32]byte{1: s.Ceremony, 2: {2}}, all.Seeds())

	t.Chdir(filepath.Dir(home))
	for _, key := range []string{filepath.Join(home, name+".age"), name + ".age", "./ada//gerda.age"} {
		require.NoError(t, SaveSharing(key, right, 1, [32]byte{7}))
		sharings, err := LoadSharings(key, right)
		require.NoError(t, err)
		require.Equal(t, map[uint64][32]byte{1: {7}}, sharings, key)
	}
}

func TestSeedsThatCannotBeRead(t *testing.T) {
	home := t.TempDir()
	s, err := New(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, Save(home, right, s))
	require.NoError(t, SaveSeed(home, right, 2, [32]byte{2}))
	_, err = Load(home, "wrong")
	require.ErrorIs(t, err, ErrPassphrase)
	_, err = Load(home, "")
	require.ErrorIs(t, err, ErrNoPassphrase)

	path := filepath.Join(home, Dir, "epoch-2.age")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, filepath.Join(home, Dir, "epoch-3.age")))
	_, err = Load(home, right)
	require.ErrorContains(t, err, "unknown form", "a seed under another epoch's name")
	require.NoError(t, os.Remove(filepath.Join(home, Dir, "epoch-3.age")))
	for _, name := range []string{"epoch-02.age", "epoch-x.age"} {
		require.NoError(t, os.WriteFile(filepath.Join(home, Dir, name), b, 0o600))
		_, err = Load(home, right)
		require.ErrorContains(t, err, "move it away")
		require.NoError(t, os.Remove(filepath.Join(home, Dir, name)))
	}
	require.NoError(t, os.WriteFile(path, b[:len(b)-1], 0o600))
	_, err = Load(home, right)
	require.Error(t, err)
}
