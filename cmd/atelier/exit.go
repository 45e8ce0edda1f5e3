package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/backup"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/keys"
)

// Exit codes; see the package comment.
const (
	codeFailed      = 1
	codeUsage       = 2
	codeQuorum      = 3
	codeLedger      = 4
	codeUnreachable = 5
	codeUnchecked   = 6
	codeInterrupted = 130
)

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// unreachableError is a node that does not answer.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// quorumError is a wish that the members did not approve, or not in time.
type quorumError struct {
	err  error
	next string // what to do; empty means to look who is online
}

func (e *quorumError) Error() string { return e.err.Error() }
func (e *quorumError) Unwrap() error { return e.err }

// refusedError is what the ledger would refuse, said before it is asked. With CodeOK
// its text says already what to do.
type refusedError struct {
	code curation.Code
	text string
}

func (e *refusedError) Error() string { return e.text }

func refused(code curation.Code, format string, args ...any) error {
	return &refusedError{code, fmt.Sprintf(format, args...)}
}

// sentence is the text of an error for people: without what libraries add for
// programs behind what a person needs.
func sentence(err error) string {
	text := err.Error()
	var file *fs.PathError
	if errors.As(err, &file) && errors.Is(file, fs.ErrNotExist) {
		missing := "there is no file or folder " + file.Path
		if dir := filepath.Dir(file.Path); dir != "." {
			if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
				missing = "there is no folder " + dir
			}
		}
		text = strings.ReplaceAll(text, file.Error(), missing)
	}
	return strings.TrimSuffix(text, ": "+fs.ErrNotExist.Error())
}

// classify turns an error into an exit code and, where one helps, what to try next.
func classify(ctx context.Context, err error) (code int, hint string) {
	var wrong *usageError
	var unreachable *unreachableError
	var unchecked *uncheckedError
	var quorum *quorumError
	var early *refusedError
	var byLedger *node.RefusedError
	var problem *api.Problem
	var variable *config.VariableError
	switch {
	case errors.As(err, &wrong), errors.As(err, &variable), strings.HasPrefix(err.Error(), "unknown command"):
		return codeUsage, ""
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return codeInterrupted, ""
	case errors.As(err, &quorum):
		if quorum.next != "" {
			return codeQuorum, quorum.next
		}
		return codeQuorum, "Look at `atelier approval list` and `atelier member list`: at least the threshold of members must be online."
	case errors.As(err, &unreachable):
		return codeUnreachable, ""
	case errors.As(err, &unchecked), errors.Is(err, model.ErrOtherArtist):
		return codeUnchecked, ""
	case errors.Is(err, api.ErrUnreachable):
		return codeUnreachable, "Start the node with `atelier node start`, or name another one with --api HOST:PORT."
	case errors.As(err, &early):
		return codeLedger, hintFor(early.code)
	case errors.As(err, &byLedger):
		return codeLedger, hintFor(byLedger.Code)
	case errors.As(err, &problem):
		return classifyProblem(problem)
	case errors.Is(err, backup.ErrPassphrase):
		return codeFailed, "Give the one that was chosen or printed with this backup in " + backupVariable + "; it is not that of the home."
	case errors.Is(err, keys.ErrPassphrase), errors.Is(err, keys.ErrNoPassphrase):
		return codeFailed, "Give the passphrase of this key in ATELIER_PASSPHRASE; where one is kept and which goes first, `atelier help environment` says."
	}
	return codeFailed, ""
}

func classifyProblem(p *api.Problem) (code int, hint string) {
	if c, ok := p.Ledger(); ok {
		return codeLedger, hintFor(c)
	}
	switch p.Code {
	case api.CodeInput, api.CodeAmbiguous:
		return codeUsage, ""
	case api.CodeNotFound:
		return codeLedger, ""
	case api.CodeOwner:
		return codeFailed, "Name the home of the node with --home DIR, on the machine where it runs."
	case api.CodeUnreachable:
		return codeUnreachable, "See which members are connected with `atelier node status`."
	case api.CodeNotReady, api.CodeBusy:
		return codeFailed, "See where the network stands with `atelier network show`, and try again."
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
		return "Ask again with another limit, or see the present price with `atelier market quote`."
	case curation.CodeDuplicate:
		return "See what there is with `atelier model show` and `atelier artwork list`, and ask for a picture with `atelier artwork request`."
	case curation.CodeUnknown:
		return "List what there is with `atelier artwork list`, and see what the network has with `atelier network show`."
	case curation.CodeNotMember:
		return "Only members of the network may do this; see them with `atelier member list`."
	}
	return ""
}
