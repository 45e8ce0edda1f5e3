package keys

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
)

// right is a passphrase as one that is drawn, with which tests take less time, and
// chosen one of a person's.
const (
	right  = "cmlnaHQgcmlnaHQgcmlnaHQgcmlnaHQgcmlnaHQgcmk"
	chosen = "correct horse"
)

// Guesses at what a person chose cost something; at 256 random bits there are none.
func TestWhatAGuessCostsGoesByWhoMadeThePassphrase(t *testing.T) {
	require.Len(t, right, len(drawPassphrase()))
	require.NotEqual(t, drawPassphrase(), drawPassphrase())
	for _, other := range []string{"", right[1:], right + "A", right[:42] + "*"} {
		require.False(t, drawn(other), "%q is not as one is drawn", other)
	}
	for passphrase, factor := range map[string]string{drawPassphrase(): "10", right: "10", chosen: "15"} {
		home := t.TempDir()
		s, err := New(rand.Reader)
		require.NoError(t, err)
		require.NoError(t, Save(home, passphrase, s))
		b, err := os.ReadFile(filepath.Join(home, Dir, file))
		require.NoError(t, err)
		require.Regexp(t, `^age-encryption.org/v1\n-> scrypt \S+ `+factor+`\n`, string(b), passphrase)
		got, err := Load(home, passphrase)
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
}

func TestSecretsComeBackAsTheyWere(t *testing.T) {
	for name, passphrase := range map[string]string{"with a passphrase of one's own": chosen, "with a kept one": ""} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			s, err := New(rand.Reader)
			require.NoError(t, err)
			require.NoError(t, Save(home, passphrase, s))
			got, err := Load(home, passphrase)
			require.NoError(t, err)
			require.True(t, bytes.Equal(s.Identity, got.Identity))
			require.Equal(t, s.Ceremony, got.Ceremony)
			require.Equal(t, s.Prekeys, got.Prekeys)
			info, err := os.Stat(filepath.Join(home, Dir, file))
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		})
	}
}

func TestKeysAreRefused(t *testing.T) {
	home := t.TempDir()
	s, err := New(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, Save(home, right, s))

	_, err = Load(home, "wrong")
	require.ErrorIs(t, err, ErrPassphrase, "a wrong passphrase")
	require.ErrorContains(t, Save(home, right, s), "exists already", "a second identity in one home")
	_, err = Load(t.TempDir(), right)
	require.ErrorIs(t, err, os.ErrNotExist, "a home without keys")

	path := filepath.Join(home, Dir, file)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range b {
		broken := bytes.Clone(b)
		broken[i] ^= 1
		if i%3 != 0 { // a sample of the positions is enough
			continue
		}
		require.NoError(t, os.WriteFile(path, broken, 0o600))
		_, err := Load(home, right)
		require.Error(t, err, "byte %d flipped", i)
	}
}

func TestSecretsPrintNothing(t *testing.T) {
	s, err := New(rand.Reader)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		require.Equal(t, "secrets(redacted)", fmt.Sprintf(verb, s), verb)
	}
	_, err = s.MarshalJSON()
	require.Error(t, err)
}

func TestThePlainAgeProgramOpensTheFile(t *testing.T) {
	home := t.TempDir()
	s, err := New(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, Save(home, right, s))
	f, err := os.Open(filepath.Join(home, Dir, file))
	require.NoError(t, err)
	defer f.Close()
	id, err := age.NewScryptIdentity(right)
	require.NoError(t, err)
	_, err = age.Decrypt(f, id)
	require.NoError(t, err)
}

// FuzzLoad feeds damaged key files: an error, never a panic.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAA 15\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		home := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(home, Dir), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(home, Dir, file), b, 0o600))
		_, err := Load(home, "x")
		require.Error(t, err)
	})
}
