package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

func TestAnExportOfTheLedgerGoesOnWhereItBrokeOff(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	dir := t.TempDir()
	file := filepath.Join(dir, "studio.ledger")
	exported := func() {
		t.Helper()
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, bytes.Equal(s.Export(), b))
		_, err = os.Stat(file + ".part")
		require.ErrorIs(t, err, os.ErrNotExist)
	}

	r := atelier("network", "export", "--ledger", file)
	require.Equal(t, 0, r.code, r.err)
	exported()
	early := s.Export()
	s.Blocks(5)
	r = atelier("network", "export", "--ledger", file)
	require.Contains(t, r.out, "5 of them new")
	exported()

	// One that broke off lies beside the file, or alone, and is further than the file.
	whole := s.Export()
	for _, have := range []struct{ file, part []byte }{
		{nil, whole[:len(whole)/2]}, {early, whole[:len(whole)-9]}, {early, early[:len(early)/3]}, {nil, whole[:30]}, {nil, nil}, {whole, nil},
	} {
		for name, b := range map[string][]byte{file: have.file, file + ".part": have.part} {
			_ = os.Remove(name)
			if b != nil {
				require.NoError(t, os.WriteFile(name, b, 0o600))
			}
		}
		r = atelier("network", "export", "--ledger", file, "--json")
		require.Equal(t, 0, r.code, r.err)
		exported()
	}
	r = atelier("verify", "--ledger", file, "--chain", s.Chain().String())
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "since height")

	// It tells who broke the protocol.
	share := curation.CeremonyMessage{Epoch: 1, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)}
	_, err := s.Ledger().Submit(t.Context(), s.Sign(apitest.Key("Member 2"), share))
	require.NoError(t, err)
	r = atelier("network", "export", "--ledger", file)
	require.Contains(t, r.out, "1 of them new")
	r = atelier("verify", "--ledger", file)
	require.Regexp(t, `convicted +Member 2, at height \d+: signed two messages of one kind in a ceremony`, r.out)

	// Another network's ledger is not continued by this one, and stays as it is.
	other := apitest.New(t, 1, nil)
	other.Blocks(3)
	require.NoError(t, os.WriteFile(file, other.Export(), 0o600))
	r = atelier("network", "export", "--ledger", file)
	require.Equal(t, codeFailed, r.code)
	require.Contains(t, r.err, "block 4 follows another block 3 than the one that is there")
	require.Contains(t, r.err, "choose another file")
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(other.Export(), b))
	_, err = os.Stat(file + ".part")
	require.ErrorIs(t, err, os.ErrNotExist)

	// A node that is behind has nothing to add.
	other.Blocks(int(s.Ledger().Status().Height))
	require.NoError(t, os.WriteFile(file, other.Export(), 0o600))
	r = atelier("network", "export", "--ledger", file)
	require.NotEqual(t, 0, r.code)
	require.Contains(t, r.err, "nothing to add to the file: there is nothing from block")
	_, err = os.Stat(file + ".part")
	require.ErrorIs(t, err, os.ErrNotExist)
}
