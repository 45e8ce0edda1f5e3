package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/storage"
)

func (s *server) registerActions(api huma.API) {
	type transactionInput struct {
		Body struct {
			Tx []byte `json:"tx" minLength:"1" maxLength:"87384" doc:"The signed transaction in base64."`
		}
	}
	huma.Register(api, huma.Operation{
		OperationID: "submit", Method: http.MethodPost, Path: "/v1/transactions", Tags: []string{"act"}, BodyReadTimeout: s.bodyTime,
		Summary: "Send a signed transaction and wait until it stands in a block",
		Description: "A transaction that the ledger does not let in is a problem. One that stands in a block and was refused there is a receipt whose code is not ok. " +
			"The same bytes may be sent again at any time: they take effect once.",
	}, func(ctx context.Context, in *transactionInput) (*body[Receipt], error) {
		r, err := s.submit(ctx, in.Body.Tx)
		return &body[Receipt]{r}, err
	})

	type sealInput struct {
		Body struct {
			Name  string `json:"name,omitempty" maxLength:"64" doc:"Of the artist."`
			Steps int    `json:"steps,omitempty" minimum:"0" maximum:"1000000" doc:"Of the fine-tune; 0 takes the default."`
			// A path of the node's machine: whose token this is can read its files anyway.
			Weights string `json:"weights,omitempty" maxLength:"4096" doc:"Folder on the node's machine, of an artist that is sealed as it is."`
		}
	}
	huma.Register(api, s.owned(huma.Operation{
		OperationID: "seal-model", Method: http.MethodPost, Path: "/v1/models",
		Summary:     "Make the network's own artist on this node and seal it",
		Description: "Answers with a stream: progress while it works, then the model, or a problem.",
		Responses: streamResponse(api, "The stream; it ends with the model or a problem.",
			map[string]any{messageProgress: Progress{}, messageModel: Model{}, messageProblem: Problem{}}),
	}), func(_ context.Context, in *sealInput) (*huma.StreamResponse, error) {
		if in.Body.Name != "" {
			if err := curation.ValidateName(in.Body.Name); err != nil {
				return nil, problem(http.StatusBadRequest, CodeInput, "the artist cannot have that name, choose another: %v", err)
			}
		}
		select {
		case s.sealing <- struct{}{}:
		default:
			return nil, problem(http.StatusConflict, CodeBusy, "this node makes a model already: wait until that is done")
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			done := sync.OnceFunc(func() { <-s.sealing })
			defer done()
			r, w := humago.Unwrap(ctx)
			s.seal(r.Context(), w, SealOptions{Name: in.Body.Name, Steps: in.Body.Steps, Weights: in.Body.Weights}, done)
		}}, nil
	})

	type fetchInput struct {
		ID   string `path:"id" maxLength:"128" doc:"Request id in hex, the first 8 or more digits of it, or the CID of the folder."`
		Body struct {
			Method string `json:"method,omitempty" enum:"auto,car,bitswap" doc:"auto, the default, tries a CAR stream, then bitswap."`
			From   string `json:"from,omitempty" maxLength:"64" doc:"Member, by index or account; absent means any."`
		}
	}
	huma.Register(api, s.owned(huma.Operation{
		OperationID: "fetch", Method: http.MethodPost, Path: "/v1/artworks/{id}/fetch",
		Summary: "Bring an artwork's folder to this node from another member, and verify it",
	}), func(ctx context.Context, in *fetchInput) (*body[Fetched], error) {
		f, err := s.fetch(ctx, in.ID, in.Body.Method, in.Body.From)
		return &body[Fetched]{f}, err
	})
}

func (s *server) submit(ctx context.Context, raw []byte) (Receipt, error) {
	tx, err := curation.Decode(raw)
	if err != nil {
		p := problem(http.StatusBadRequest, CodeName(curation.CodeMalformed), "this is no signed transaction, sign one with the key of an account and send it whole")
		p.Errors = []Fault{{Message: err.Error(), Location: "body.tx"}}
		return Receipt{}, p
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	r, err := s.backend.Ledger().Submit(ctx, raw)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Receipt{}, problem(http.StatusGatewayTimeout, CodeOpenOutcome,
			"no block took the transaction within %v, and one may still up to height %d: see that enough members are online, and send the same bytes again", commitTimeout, tx.ValidUntil)
	case err != nil:
		return Receipt{}, explain(err)
	}
	return receiptOf(tx, r), nil
}

func receiptOf(tx curation.Tx, r ledger.Receipt) Receipt {
	out := Receipt{Height: r.Height, Index: r.Index, Code: CodeName(r.Result.Code), Log: r.Result.Log, ID: tx.ID(),
		Kind: string(tx.Payload.Kind()), Events: []Event{}}
	if kind := tx.Payload.Kind(); (kind == curation.KindRequest || kind == curation.KindEdition) && r.Result.Code == curation.CodeOK {
		out.RID = curation.RequestID(tx.BodyHash(), r.Height, int(r.Index))
	}
	index := int(r.Index)
	for _, e := range r.Result.Events {
		out.Events = append(out.Events, eventOf(r.Height, &index, e))
	}
	return out
}

// seal makes a model and tells the client about it as it goes. A client that goes
// ends the work. The next one may begin, which is what done says, before the client
// hears of the end.
func (s *server) seal(ctx context.Context, w http.ResponseWriter, o SealOptions, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := openStream(w)
	if err != nil {
		return
	}
	var shown Model
	model, err := s.backend.SealModel(ctx, o, func(p SealProgress) {
		if out.send(0, messageProgress, Progress(p)) != nil {
			cancel()
		}
	})
	done()
	if err == nil {
		err = s.view(func(v curation.View) error { shown = modelOf(v, model); return nil })
	}
	if err != nil {
		p := explain(err)
		if p.Code == CodeInternal { // most of what stops a sealing is the network's state
			p = problem(http.StatusConflict, CodeNotReady, "%v", err)
		}
		_ = out.send(0, messageProblem, p) // the client has gone
		return
	}
	_ = out.send(0, messageModel, shown)
}

func (s *server) fetch(ctx context.Context, id, method, from string) (Fetched, error) {
	var a curation.Artwork
	var member curation.Address
	if err := s.view(func(v curation.View) (err error) {
		if a, err = find(v, id); err != nil {
			return err
		}
		member, err = memberNamed(v, from)
		return err
	}); err != nil {
		return Fetched{}, err
	}
	if a.CID == "" {
		return Fetched{}, problem(http.StatusConflict, CodeNotFound, "artwork %s is %s and has no folder: only what was made can be fetched", a.RID.String()[:12], a.Status)
	}
	root, err := cid.Decode(a.CID)
	if err != nil {
		return Fetched{}, explain(err)
	}
	if method == "auto" {
		method = ""
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := s.backend.Fetch(ctx, root, member, storage.Method(method))
	if err != nil {
		p := explain(err)
		if p.Code == CodeInternal {
			p = problem(http.StatusBadGateway, CodeUnreachable, "%v", err)
		}
		return Fetched{}, p
	}
	return Fetched{CID: a.CID, Via: string(r.Via), Peer: r.Peer.String(), Blocks: r.Blocks, Bytes: r.Bytes, Seconds: r.Duration.Seconds()}, nil
}

// memberNamed is the account of a member, given by index or account; the zero
// address when text is empty.
func memberNamed(v curation.View, text string) (curation.Address, error) {
	if text == "" {
		return curation.Address{}, nil
	}
	var m curation.Member
	var ok bool
	if index, err := strconv.ParseUint(text, 10, 32); err == nil {
		m, ok = v.Member(uint32(index))
	} else if a, err := curation.ParseAddress(text); err == nil {
		m, ok = v.MemberOf(a)
	}
	if !ok {
		return curation.Address{}, problem(http.StatusBadRequest, CodeInput, "%q is not a member: give an index or an account of `atelier network show`", clip(text))
	}
	return m.Account, nil
}
