package api

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/storage"
)

func TestWhatFailsBehindTheInterfaceSaysWhatToDoNext(t *testing.T) {
	submit := func(err error) error { return fmt.Errorf("submit: %w", err) }
	refused := func(code curation.Code, text string) error {
		return submit(&ledger.RefusedError{Result: curation.TxResult{Code: code, Log: text}})
	}
	for _, c := range []struct {
		name   string
		err    error
		status int
		code   string
		detail string
	}{
		{"the ledger refuses", refused(curation.CodeFunds, "balance is 0 credits, the fee is 1 credit"), 422, "funds",
			"refused by the ledger: balance is 0 credits, the fee is 1 credit"},
		{"a nonce is taken", refused(curation.CodeNonce, "nonce 1 is used"), 409, "nonce", "refused by the ledger: nonce 1 is used"},
		{"there is no room to wait", refused(curation.CodeBusy, "too many transactions wait: send it again after the next block"), 503, CodeBusy,
			"too many transactions wait: send it again after the next block"},
		{"the pool is full", submit(ledger.ErrFull), 503, CodeBusy, "too many transactions wait: send it again after the next block"},
		{"a transaction is too large", submit(ledger.ErrTooLarge), 413, "malformed", "a transaction has at most 65536 bytes: send less in one"},
		{"the node stops", submit(ledger.ErrStopped), 503, CodeNotReady, "this node is stopping: ask again once it has started, or ask another one"},
		{"a folder is not here", fmt.Errorf("folder: %w", storage.ErrNotFound), 404, CodeNotFound,
			"folder: " + storage.ErrNotFound.Error() + ": fetch the artwork from another member first"},
		{"nobody answers", submit(context.DeadlineExceeded), 504, CodeUnreachable,
			"the other members did not answer in time: see which are connected, and try again"},
		{"somebody gives up", submit(context.Canceled), 503, CodeNotReady, "this was given up before it was done: ask again"},
		{"a defect", errors.New("odd"), 500, CodeInternal, "this should not happen, the node's log may tell more: odd"},
		{"what is a problem already", submit(problem(404, CodeNotFound, "there is nothing at /x")), 404, CodeNotFound, "there is nothing at /x"},
	} {
		p := explain(c.err)
		require.Equal(t, c.status, p.Status, c.name)
		require.Equal(t, c.code, p.Code, c.name)
		require.Equal(t, c.detail, p.Detail, c.name)
		_, byLedger := p.Ledger()
		require.Equal(t, c.code == "funds" || c.code == "nonce" || c.code == "malformed", byLedger, c.name)
	}
}

func TestEachClassOfRefusalHasItsName(t *testing.T) {
	names := map[string]bool{}
	for code := curation.CodeOK; code <= curation.CodeBusy; code++ {
		name, ok := codeNames[code]
		require.True(t, ok, code)
		require.False(t, names[name], name)
		names[name] = true
		require.Equal(t, name, CodeName(code))
	}
	require.Len(t, codeNames, len(names))
	require.Equal(t, "class_99", CodeName(99))
}
