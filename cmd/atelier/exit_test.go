package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/keys"
)

func TestEachKindOfFailureHasItsExitCode(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	alive := context.Background()
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		code int
		hint string
	}{
		{"a command line that cannot be understood", alive, &usageError{errors.New("x")}, 2, ""},
		{"an address that the node cannot read", alive, &api.Problem{Code: api.CodeInput}, 2, ""},
		{"a prefix that names several artworks", alive, &api.Problem{Code: api.CodeAmbiguous}, 2, ""},
		{"a request that was not approved in time", alive, &quorumError{err: errors.New("x")}, 3, "threshold of members must be online"},
		{"an order past its limit", alive, &api.Problem{Code: api.CodeName(curation.CodeLimit)}, 4, "atelier market quote"},
		{"a balance that is too small", alive, &node.RefusedError{Code: curation.CodeFunds}, 4, "atelier account show"},
		{"a round that is over, known before asking", alive, refused(curation.CodeWrongPhase, "x"), 4, "atelier network show"},
		{"a deed for members only", alive, &api.Problem{Code: api.CodeName(curation.CodeNotMember)}, 4, "atelier member list"},
		{"an artwork that does not exist", alive, &api.Problem{Code: api.CodeNotFound}, 4, ""},
		{"a node that does not answer", alive, fmt.Errorf("ask: %w", api.ErrUnreachable), 5, "atelier node start"},
		{"no node in the home", alive, &unreachableError{errors.New("x")}, 5, ""},
		{"members that do not give a picture", alive, &api.Problem{Code: api.CodeUnreachable}, 5, "atelier node status"},
		{"a person who presses Ctrl-C", stopped, fmt.Errorf("wait: %w", context.Canceled), 130, ""},
		{"something canceled that is not the person", alive, context.Canceled, 1, ""},
		{"a wrong passphrase", alive, keys.ErrPassphrase, 1, "ATELIER_PASSPHRASE"},
		{"a deed for the node's owner only", alive, &api.Problem{Code: api.CodeOwner}, 1, "--home"},
		{"an artwork that does not hold", alive, &invalidError{"x"}, 1, ""},
		{"an artwork that could not be checked", alive, &uncheckedError{"x"}, 6, ""},
		{"a recipe of another artist", alive, fmt.Errorf("draw: %w", model.ErrOtherArtist), 6, ""},
	} {
		code, hint := classify(c.ctx, c.err)
		require.Equal(t, c.code, code, c.name)
		require.Contains(t, hint, c.hint, c.name)
		require.Equal(t, c.hint == "", hint == "", c.name)
	}
}
