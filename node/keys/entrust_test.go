package keys

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsEntrustedOpensToItsAccountAlone(t *testing.T) {
	ada, bruno := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	file, err := Entrust(ada.Public().(ed25519.PublicKey), []byte("a share"))
	require.NoError(t, err)
	require.NotContains(t, string(file), "a share")
	plain, err := Entrusted(ada, file)
	require.NoError(t, err)
	require.Equal(t, "a share", string(plain))
	_, err = Entrusted(bruno, file)
	require.ErrorIs(t, err, ErrNotEntrusted)
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 1
		_, err := Entrusted(ada, bad)
		require.Error(t, err, "byte %d", i)
	}
	_, err = Entrusted(ada, nil)
	require.ErrorContains(t, err, "damaged")
	large, err := Entrust(ada.Public().(ed25519.PublicKey), make([]byte, maxEntrusted+1))
	require.NoError(t, err)
	_, err = Entrusted(ada, large)
	require.ErrorContains(t, err, "more than")
	_, err = Entrust(make([]byte, 32), nil)
	require.ErrorContains(t, err, "low order point", "anybody could open it")
}

// FuzzEntrusted reads damaged files: an error, never a panic.
func FuzzEntrusted(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	file, err := Entrust(key.Public().(ed25519.PublicKey), []byte("a share"))
	require.NoError(f, err)
	f.Add(file)
	f.Add([]byte("age-encryption.org/v1\n-> ssh-ed25519 \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := Entrusted(key, b); err != nil {
			require.Nil(t, plain)
		}
	})
}
