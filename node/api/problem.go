package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/storage"
)

// Codes of problems that are not refusals of the ledger. Those have the names that
// CodeName gives.
const (
	CodeInput       = "input"        // the request cannot be understood
	CodeNotFound    = "not_found"    // no such record, file or path
	CodeAmbiguous   = "ambiguous"    // the prefix names several records
	CodeOwner       = "owner"        // only who can read the node's home may do this
	CodeForbidden   = "forbidden"    // the request comes from another site or by another name
	CodeMethod      = "method"       // the path has no such method
	CodeBusy        = "busy"         // too much at once; try again
	CodeNotReady    = "not_ready"    // the node cannot do this yet, or stops
	CodeUnreachable = "unreachable"  // other members do not answer
	CodeOpenOutcome = "open_outcome" // waited long enough; the transaction may still be taken
	CodeInternal    = "internal"     // a defect of this program
)

// Problem is every error of the interface, in the form of RFC 9457. It is an error
// for Go programs too.
type Problem struct {
	Type   string  `json:"type" doc:"Names the class: urn:atelier:problem: and the code."`
	Title  string  `json:"title" doc:"The status in words."`
	Status int     `json:"status" doc:"The HTTP status."`
	Detail string  `json:"detail" doc:"What went wrong here, for people."`
	Code   string  `json:"code" doc:"The class, for programs. A refusal by the ledger has one of: malformed, signature, nonce, expired, funds, not_member, wrong_phase, unknown, proof, limit, duplicate."`
	Errors []Fault `json:"errors,omitempty" doc:"The parts of the request that are wrong."`
}

// Fault is one part of a request that is wrong.
type Fault struct {
	Message  string `json:"message" doc:"What is wrong with it."`
	Location string `json:"location,omitempty" doc:"Where it stands, such as query.limit."`
}

// Error returns the detail with its faults.
func (p *Problem) Error() string {
	text := p.Detail
	for i, f := range p.Errors {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		text += sep + strings.TrimPrefix(f.Location+": "+f.Message, ": ")
	}
	return text
}

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// Ledger is the class of the ledger's refusal, and false when it was not the
// ledger that refused. That it was busy is no refusal.
func (p *Problem) Ledger() (curation.Code, bool) {
	for code, name := range codeNames {
		if name == p.Code && code != curation.CodeOK && code != curation.CodeBusy {
			return code, true
		}
	}
	return 0, false
}

// codeNames are stable: programs compare them.
var codeNames = map[curation.Code]string{
	curation.CodeOK:         "ok",
	curation.CodeMalformed:  "malformed",
	curation.CodeSignature:  "signature",
	curation.CodeNonce:      "nonce",
	curation.CodeExpired:    "expired",
	curation.CodeFunds:      "funds",
	curation.CodeNotMember:  "not_member",
	curation.CodeWrongPhase: "wrong_phase",
	curation.CodeUnknown:    "unknown",
	curation.CodeProof:      "proof",
	curation.CodeLimit:      "limit",
	curation.CodeDuplicate:  "duplicate",
	curation.CodeBusy:       CodeBusy,
}

// CodeName is the name of a class of refusal: "ok", "funds", "wrong_phase" and so
// on.
func CodeName(c curation.Code) string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("class_%d", c)
}

func problem(status int, code, format string, args ...any) *Problem {
	return &Problem{Type: "urn:atelier:problem:" + code, Title: http.StatusText(status), Status: status, Code: code,
		Detail: fmt.Sprintf(format, args...)}
}

// refusal is what a client gets of a transaction that the ledger does not take.
func refusal(r curation.TxResult) *Problem {
	status := http.StatusUnprocessableEntity
	switch r.Code {
	case curation.CodeBusy: // not a judgement of the transaction
		return problem(http.StatusServiceUnavailable, CodeBusy, "%s", r.Log)
	case curation.CodeMalformed:
		status = http.StatusBadRequest
	case curation.CodeNotMember:
		status = http.StatusForbidden
	case curation.CodeNonce, curation.CodeWrongPhase, curation.CodeDuplicate:
		status = http.StatusConflict
	}
	return problem(status, CodeName(r.Code), "refused by the ledger: %s", r.Log)
}

// explain turns an error of the parts behind the interface into a problem.
func explain(err error) *Problem {
	var known *Problem
	var refused *ledger.RefusedError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		return refusal(refused.Result)
	case errors.Is(err, ledger.ErrTooLarge):
		return problem(http.StatusRequestEntityTooLarge, CodeName(curation.CodeMalformed), "a transaction has at most %d bytes: send less in one", curation.MaxTxBytes)
	case errors.Is(err, ledger.ErrFull):
		return problem(http.StatusServiceUnavailable, CodeBusy, "too many transactions wait: send it again after the next block")
	case errors.Is(err, ledger.ErrStopped):
		return problem(http.StatusServiceUnavailable, CodeNotReady, "this node is stopping: ask again once it has started, or ask another one")
	case errors.Is(err, storage.ErrNotFound):
		return problem(http.StatusNotFound, CodeNotFound, "%v: fetch the artwork from another member first", err)
	case errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusGatewayTimeout, CodeUnreachable, "the other members did not answer in time: see which are connected, and try again")
	case errors.Is(err, context.Canceled):
		return problem(http.StatusServiceUnavailable, CodeNotReady, "this was given up before it was done: ask again")
	}
	return problem(http.StatusInternalServerError, CodeInternal, "this should not happen, the node's log may tell more: %v", err)
}

// The library makes its own errors (a query that is not a number, a body without a
// field) through this variable, which is also where the document takes the shape
// of errors from. This program has one interface, so one shape.
func init() {
	huma.DefaultArrayNullable = false // our lists are empty, never null
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		code := CodeInput
		switch {
		case status >= 500:
			code = CodeInternal
		case status == http.StatusUnprocessableEntity: // the library's word for bad input; ours is for refusals
			status = http.StatusBadRequest
		}
		p := problem(status, code, "%s", msg)
		if msg == "validation failed" { // the faults say what is wrong where
			p.Detail = "the request is not as /openapi.json describes it"
		}
		for _, err := range errs {
			var detail *huma.ErrorDetail
			switch {
			case err == nil:
			case errors.As(err, &detail):
				p.Errors = append(p.Errors, Fault{Message: detail.Message, Location: detail.Location})
			default:
				p.Errors = append(p.Errors, Fault{Message: err.Error()})
			}
		}
		return p
	}
}
