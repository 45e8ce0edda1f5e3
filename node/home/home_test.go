package home

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTwoCannotWorkInOneHome(t *testing.T) {
	h := Home(t.TempDir())
	unlock, err := h.Lock()
	require.NoError(t, err)
	require.NoError(t, h.WriteRuntime("127.0.0.1:1", "secret"))
	_, err = h.Lock()
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, "atelier node stop", "it says what to do")
	require.NoError(t, unlock())
	unlock, err = h.Lock()
	require.NoError(t, err)
	require.NoError(t, unlock())
}

func TestRuntimeFilesComeAndGo(t *testing.T) {
	h := Home(t.TempDir())
	_, err := h.ReadAPIAddress()
	require.ErrorContains(t, err, "atelier node start")
	require.NoError(t, h.WriteRuntime("127.0.0.1:4000", "secret"))
	address, err := h.ReadAPIAddress()
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:4000", address)
	token, err := h.ReadAPIToken()
	require.NoError(t, err)
	require.Equal(t, "secret", token)
	info, err := os.Stat(h.APIToken())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	h.RemoveRuntime()
	_, err = h.ReadAPIToken()
	require.ErrorContains(t, err, "atelier node start")
}

func TestANodeThatStillFoundsIsNotCalledAbsent(t *testing.T) {
	h := Home(t.TempDir())
	unlock, err := h.Lock()
	require.NoError(t, err)
	_, err = h.ReadAPIAddress()
	require.ErrorContains(t, err, "still being founded")
	require.NoError(t, unlock())
}

func TestAHomeWithoutGenesisSaysSo(t *testing.T) {
	_, err := Home(t.TempDir()).ReadGenesis()
	require.ErrorIs(t, err, ErrNoGenesis)
}
