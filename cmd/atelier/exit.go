package main

import (
	"context"
	"errors"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/p2p"
)

// Exit codes; see the package comment.
const (
	codeFailed      = 1
	codeUsage       = 2
	codeQuorum      = 3
	codeLedger      = 4
	codeUnreachable = 5
	codeInterrupted = 130
)

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// unreachableError is a node that does not answer.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// quorumError is a wish that the members did not approve in time.
type quorumError struct{ err error }

func (e *quorumError) Error() string { return e.err.Error() }
func (e *quorumError) Unwrap() error { return e.err }

// classify turns an error into an exit code and, where one helps, what to try next.
func classify(ctx context.Context, err error) (code int, hint string) {
	var usage *usageError
	var unreachable *unreachableError
	var quorum *quorumError
	var refused *node.RefusedError
	switch {
	case errors.As(err, &usage), strings.HasPrefix(err.Error(), "unknown command"), strings.HasPrefix(err.Error(), "accepts "), strings.HasPrefix(err.Error(), "required flag"):
		return codeUsage, ""
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return codeInterrupted, ""
	case errors.As(err, &quorum):
		return codeQuorum, "Look at `atelier approval list` and `atelier network show`: at least the threshold of members must be online."
	case errors.As(err, &unreachable):
		return codeUnreachable, "Start the node with `atelier node start`, or name another one with --api HOST:PORT."
	case errors.As(err, &refused):
		return codeLedger, hintFor(refused.Code)
	case errors.Is(err, founding.ErrNoPlan), errors.Is(err, home.ErrLocked), errors.Is(err, p2p.ErrPortTaken):
		return codeFailed, ""
	case errors.Is(err, keys.ErrPassphrase):
		return codeFailed, "Give the passphrase of this home in ATELIER_PASSPHRASE."
	}
	return codeFailed, ""
}

func hintFor(c curation.Code) string {
	switch c {
	case curation.CodeFunds:
		return "See the balance with `atelier account show`; another account can send credits with `atelier account send`."
	case curation.CodeWrongPhase:
		return "See where ceremony and round stand with `atelier network show`."
	case curation.CodeLimit:
		return "Ask again with a wider limit, or see the present price with `atelier market quote`."
	case curation.CodeUnknown:
		return "List what there is with `atelier artwork list`."
	case curation.CodeNotMember:
		return "Only members of the network may do this; see them with `atelier member list`."
	}
	return ""
}
