package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/verify"
)

func TestTheExportIsWhatAVerifierNeeds(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	_, c := serve(t, s)
	have, err := c.Export(t.Context())
	require.NoError(t, err)
	var want verify.Network
	require.NoError(t, s.View(func(v curation.View) (err error) {
		want, _, err = verify.NetworkOf(v)
		return err
	}))
	require.Equal(t, want, have)
	require.Equal(t, s.Chain(), have.Chain)
	require.Len(t, have.Models, 1)
	require.NotEmpty(t, have.Committee)
}

func TestThereIsNothingToExportBeforeTheCeremonyHasEnded(t *testing.T) {
	_, c := serve(t, apitest.New(t, 1, nil))
	_, err := c.Export(t.Context())
	problemOf(t, err, api.CodeNotReady)
}
