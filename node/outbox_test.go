package node

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

func TestEvidenceIsKeptUntilItIsDropped(t *testing.T) {
	o := outbox(filepath.Join(t.TempDir(), "evidence"))
	all, err := o.load()
	require.NoError(t, err)
	require.Empty(t, all)
	require.NoError(t, o.drop(3), "there is nothing to drop")
	share := func(member uint32, text string) curation.Evidence {
		return curation.Evidence{Member: member, Share: &curation.SignedShare{RID: curation.Hash{1}, Role: 1, Reader: 2, Share: []byte(text)}, Message: []byte{}}
	}
	require.NoError(t, o.keep(share(3, "first")))
	require.NoError(t, o.keep(share(12, "other")))
	require.NoError(t, o.keep(share(3, "second")))
	all, err = o.load()
	require.NoError(t, err)
	require.ElementsMatch(t, []curation.Evidence{share(3, "second"), share(12, "other")}, all)

	// What is damaged is named, and the rest is read.
	require.NoError(t, os.WriteFile(o.path(12), share(12, "other").Bytes()[:20], 0o600))
	require.NoError(t, os.WriteFile(o.path(5), share(6, "of another").Bytes(), 0o600))
	require.NoError(t, os.WriteFile(o.path(7), make([]byte, curation.MaxTxBytes+100), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(string(o), ".8.123"), []byte("cut short"), 0o600))
	require.NoError(t, os.Mkdir(o.path(9), 0o700))
	all, err = o.load()
	require.Equal(t, []curation.Evidence{share(3, "second")}, all)
	for _, member := range []uint32{5, 7, 9, 12} {
		require.ErrorContains(t, err, o.path(member)+" holds no evidence, delete it")
	}
	require.ErrorContains(t, err, "it is about member 6")
	require.NoError(t, o.drop(3))
	all, _ = o.load()
	require.Empty(t, all)
}
