package api_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// problemOf requires an error to be a problem of that code.
func problemOf(t testing.TB, err error, code string) *api.Problem {
	t.Helper()
	var p *api.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, code, p.Code, p.Detail)
	require.Equal(t, http.StatusText(p.Status), p.Title)
	require.Equal(t, "urn:atelier:problem:"+code, p.Type)
	return p
}

// A network of one, whose rounds open with one candidate, from its keys to the sale
// of a published artwork, through the client alone.
func TestACollectorsStory(t *testing.T) {
	s := apitest.Open(t, 1, func(p *curation.Params) { p.RoundCandidates = 1 })
	_, c := serve(t, s)
	ctx := t.Context()

	n, err := c.Network(ctx)
	require.NoError(t, err)
	require.Equal(t, s.Chain(), n.Chain)
	require.Equal(t, "Test studio", n.Name)
	require.Equal(t, api.Shares{Seats: 1, Threshold: 1, Proven: 1, Margin: 0, Reachable: 1, State: "healthy"}, n.Shares)
	require.Len(t, n.Members, 1)
	require.True(t, n.Members[0].ShareProven)
	require.NotZero(t, n.Members[0].Prekeys)
	require.Equal(t, curation.CeremonyActive, n.Ceremony.Phase)
	require.Len(t, n.Committee.Y, 96)
	require.Nil(t, n.Round)
	members, err := c.Members(ctx)
	require.NoError(t, err)
	require.Equal(t, n.Members, members)
	m, err := c.Model(ctx)
	require.NoError(t, err)
	require.Equal(t, *n.Model, m)
	doc, err := c.Genesis(ctx)
	require.NoError(t, err)
	require.Equal(t, s.Chain(), curation.Hash(sha256.Sum256(doc)), "the document arrives byte for byte")

	// Request, approval, picture.
	vera := apitest.Key("Vera")
	r, err := c.SubmitPayload(ctx, vera, curation.Request{Prompt: "red heart", ModelID: m.ID})
	require.NoError(t, err)
	require.Equal(t, "ok", r.Code)
	require.Equal(t, "artwork.request", r.Kind)
	require.Equal(t, "artwork.requested", r.Events[0].Kind)
	require.Equal(t, r.RID.String(), r.Events[0].Attributes["rid"])
	waiting, err := c.Approvals(ctx, "waiting")
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.Equal(t, r.RID, waiting[0].RID)

	s.Reach(r.RID, curation.StatusBacking)
	approved, err := c.Approvals(ctx, "approved", "expired")
	require.NoError(t, err)
	require.Len(t, approved, 1)
	require.NotZero(t, approved[0].Approved)
	a, err := c.Artwork(ctx, r.RID.String()[:8])
	require.NoError(t, err)
	require.Equal(t, curation.StatusBacking, a.Status)
	require.Equal(t, uint32(1), a.Generator)
	require.Len(t, a.Certificate, 48)
	require.True(t, a.Held)
	byCID, err := c.Artwork(ctx, a.CID)
	require.NoError(t, err)
	require.Equal(t, a, byCID)
	png, err := c.File(ctx, a.CID, "image.png")
	require.NoError(t, err)
	require.Equal(t, "\x89PNG", string(png[:4]))
	car, err := c.CAR(ctx, a.CID)
	require.NoError(t, err)
	require.Greater(t, len(car), len(png))
	fetched, err := c.Fetch(ctx, a.CID, "auto", "1")
	require.NoError(t, err)
	require.Equal(t, "local", fetched.Via)

	// A sealed order, and what it says only after the round.
	q, err := c.QuoteBuy(ctx, r.RID.String(), curve.Credits(100))
	require.NoError(t, err)
	require.False(t, q.Tokens.IsZero())
	n, err = c.Network(ctx)
	require.NoError(t, err)
	require.Equal(t, curation.RoundBacking, n.Round.Phase)
	order, err := n.SealOrder(rand.Reader, n.Round.Number, curation.OpenOrder{Account: apitest.Address("Vera"), RID: r.RID, Deposit: curve.Credits(100), MinOut: q.Tokens}, curve.Credits(120))
	require.NoError(t, err)
	_, err = c.SubmitPayload(ctx, vera, order)
	require.NoError(t, err)
	round, err := c.Round(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, curation.OrderSealed, round.Orders[0].Status)
	require.Zero(t, round.Orders[0].RID)
	s.Reach(r.RID, curation.StatusPublished)
	s.Run("the published pin", func(curation.View) bool {
		pins := s.Store().Pins()
		return len(pins) == 1 && pins[0].Name == "published/"+r.RID.String()
	})
	rounds, err := c.Rounds(ctx)
	require.NoError(t, err)
	require.Equal(t, []curation.Hash{r.RID}, rounds[0].Published)

	account, err := c.Account(ctx, apitest.Address("Vera"))
	require.NoError(t, err)
	require.Equal(t, q.Tokens, account.Holdings[0].Tokens, "alone in its batch it gets what the quote said")
	require.Equal(t, curation.OrderFilled, account.Orders[0].Status)
	market, err := c.Market(ctx, r.RID.String())
	require.NoError(t, err)
	require.Equal(t, q.Price, market.Price)

	// The way out.
	out, err := c.QuoteSell(ctx, r.RID.String(), q.Tokens)
	require.NoError(t, err)
	_, err = c.SubmitPayload(ctx, vera, curation.Sell{RID: r.RID, Tokens: q.Tokens, MinOut: out.Payout})
	require.NoError(t, err)
	after, err := c.Account(ctx, apitest.Address("Vera"))
	require.NoError(t, err)
	require.Empty(t, after.Holdings)
	_, err = c.SubmitPayload(ctx, vera, curation.Sell{RID: r.RID, Tokens: q.Tokens, MinOut: curve.NewAmount(1)})
	p := &api.Problem{}
	require.ErrorAs(t, err, &p)
	_, ledgers := p.Ledger()
	require.True(t, ledgers, "refused by the ledger: %v", err)

	list, err := c.Artworks(ctx, api.ArtworkFilter{Status: []curation.Status{"published", "candidate"}, Requester: apitest.Address("Vera"), Round: 1, Newest: true, Limit: 5})
	require.NoError(t, err)
	require.Len(t, list, 1)
	node, err := c.Node(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, node.Storage.Pins)
	pins, err := c.Pins(ctx)
	require.NoError(t, err)
	require.Equal(t, []api.Pin{{CID: a.CID, Name: "published/" + r.RID.String(), Held: true}}, pins)
}

func TestAProofOfTheLedgerConvincesAStranger(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	_, c := serve(t, s)
	rid := s.Request("Vera", "blue bird")
	check := func(id string) ([]byte, error) {
		p, err := c.ProveArtwork(t.Context(), id)
		require.NoError(t, err)
		proof, err := state.ParseProof(p.Proof)
		require.NoError(t, err)
		value := []byte(p.Value)
		if len(value) == 0 {
			value = nil
		}
		return value, proof.Verify(p.AppHash, p.Key, value)
	}
	value, err := check(rid.String())
	require.NoError(t, err)
	a, err := curation.DecodeArtwork(value)
	require.NoError(t, err)
	require.Equal(t, "blue bird", a.Prompt)
	value, err = check(curation.Hash{1}.String())
	require.NoError(t, err)
	require.Nil(t, value, "that there is nothing is proved too")
}

func TestWhatTheLedgerRefusesIsAProblemWithItsClass(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	_, c := serve(t, s)
	ctx := t.Context()
	poor, vera := apitest.Key("Nobody"), apitest.Key("Vera")
	_, err := c.SubmitPayload(ctx, poor, curation.Send{To: apitest.Address("Vera"), Amount: curve.Credits(1)})
	p := problemOf(t, err, "funds")
	code, ok := p.Ledger()
	require.True(t, ok)
	require.Equal(t, curation.CodeFunds, code)
	_, err = c.SubmitPayload(ctx, vera, curation.Register{RID: curation.Hash{1}, CID: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", PixelRoot: curation.Hash{1}})
	problemOf(t, err, "not_member")
	_, err = c.SubmitPayload(ctx, vera, curation.SealedOrder{Round: 9, Escrow: curve.Credits(1), Box: []byte{1}})
	var refused *api.Problem
	require.ErrorAs(t, err, &refused)
	_, err = c.Submit(ctx, []byte("not a transaction"))
	problemOf(t, err, "malformed")

	send := s.Sign(vera, curation.Send{To: apitest.Address("Walid"), Amount: curve.Credits(1)})
	first, err := c.Submit(ctx, send)
	require.NoError(t, err)
	again, err := c.Submit(ctx, send)
	require.NoError(t, err)
	require.Equal(t, first, again, "the same bytes take effect once")
	walid, err := c.Account(ctx, apitest.Address("Walid"))
	require.NoError(t, err)
	require.Equal(t, curve.Credits(10_001), walid.Balance)

	send[len(send)-1] ^= 1
	_, err = c.Submit(ctx, send)
	problemOf(t, err, "signature")
}

func TestPayloadsOfOneAccountFollowEachOther(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	_, c := serve(t, s)
	errs := make(chan error, 6)
	for i := range cap(errs) {
		go func() {
			_, err := c.SubmitPayload(t.Context(), apitest.Key("Vera"), curation.Send{To: apitest.Address("Walid"), Amount: curve.Credits(uint64(i + 1))})
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	a, err := c.Account(t.Context(), apitest.Address("Walid"))
	require.NoError(t, err)
	require.Equal(t, curve.Credits(10_021), a.Balance, "each was taken once")
}

func TestAModelIsSealedByTheOwnerWhoSeesItsProgress(t *testing.T) {
	s := apitest.New(t, 1, nil)
	server, c := serve(t, s)
	_, err := c.Model(t.Context())
	problemOf(t, err, api.CodeNotFound)
	_, err = c.SealModel(t.Context(), api.SealOptions{Name: "Ours"}, func(api.Progress) {})
	p := problemOf(t, err, api.CodeNotReady)
	require.Contains(t, p.Detail, "committee")

	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	var steps []string
	m, err := c.SealModel(t.Context(), api.SealOptions{Name: "Ours"}, func(p api.Progress) {
		steps = append(steps, fmt.Sprint(p.Phase, p.Step))
	})
	require.NoError(t, err)
	require.Equal(t, "Ours", m.Name)
	require.Equal(t, []string{"fine-tuning0", "1", "2", "3"}, steps)
	again, err := c.Model(t.Context())
	require.NoError(t, err)
	require.Equal(t, m, again)

	for name, given := range map[string]string{"without a token": "", "with another token": token + "x"} {
		stranger := api.NewClient(server.URL, given)
		_, err = stranger.SealModel(t.Context(), api.SealOptions{}, func(api.Progress) {})
		require.Equal(t, http.StatusUnauthorized, problemOf(t, err, api.CodeOwner).Status, name)
		_, err = stranger.Fetch(t.Context(), curation.Hash{1}.String(), "car", "")
		problemOf(t, err, api.CodeOwner)
	}
}

// hasty asks again as soon as it sees a message.
type hasty struct {
	*httptest.ResponseRecorder
	event string
	again func()
}

func (h *hasty) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("event: "+h.event+"\n")) {
		h.again()
	}
	return h.ResponseRecorder.Write(b)
}

func (*hasty) SetWriteDeadline(time.Time) error { return nil }

func TestTheNextModelMayBeMadeAsSoonAsTheLastOneHasEnded(t *testing.T) {
	s := apitest.New(t, 1, nil)
	h := handler(t, s)
	ask := func(event string, again func()) string {
		w := &hasty{httptest.NewRecorder(), event, again}
		r := httptest.NewRequest(http.MethodPost, "/v1/models", strings.NewReader("{}"))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	for _, c := range []struct{ when, message, next string }{
		{"while it works", "progress", api.CodeBusy},
		{"when it has ended with a problem", "problem", "event: problem"},
		{"when there is a model", "model", "event: model"},
	} {
		t.Run(c.when, func(t *testing.T) {
			if c.message == "model" {
				s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
			}
			var told []string
			whole := ask(c.message, func() { told = append(told, ask("", nil)) })
			require.Contains(t, whole, "event: "+c.message)
			require.NotEmpty(t, told)
			for _, text := range told {
				require.Contains(t, text, c.next)
			}
		})
	}
}

func TestANodeThatIsNotThereIsUnreachable(t *testing.T) {
	server, _ := serve(t, apitest.New(t, 1, nil))
	addr := server.Listener.Addr().String()
	server.Close()
	_, err := api.NewClient(addr, "").Network(t.Context())
	require.ErrorIs(t, err, api.ErrUnreachable)
	require.Contains(t, err.Error(), addr)
	for range api.NewClient(addr, "").Events(t.Context(), 1) {
		break
	}
	var p *api.Problem
	require.False(t, errors.As(err, &p))
}

func TestTheKeysAreHandedOverByTheOwner(t *testing.T) {
	s := apitest.New(t, 4, nil)
	server, c := serve(t, s)
	k, err := c.Committees(t.Context())
	require.NoError(t, err)
	require.Empty(t, k.Committees)
	require.Contains(t, k.NotNow, "no committee is in force yet")
	_, err = c.HandOver(t.Context())
	require.Equal(t, http.StatusConflict, problemOf(t, err, api.CodeName(curation.CodeWrongPhase)).Status)

	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	s.Run("the pause after it", func(v curation.View) bool { return v.MayHandOver(0) == nil })
	for name, given := range map[string]string{"without a token": "", "with another token": token + "x"} {
		_, err := api.NewClient(server.URL, given).HandOver(t.Context())
		require.Equal(t, http.StatusUnauthorized, problemOf(t, err, api.CodeOwner).Status, name)
	}
	k, err = c.HandOver(t.Context())
	require.NoError(t, err)
	require.NotNil(t, k.Handover)
	require.EqualValues(t, 2, k.Handover.Epoch)
	require.Equal(t, []uint32{1}, k.Handover.Consented)
	s.Run("the handover", func(v curation.View) bool { c, _ := v.Committee(); return c.Epoch() == 2 })
	k, err = c.Committees(t.Context())
	require.NoError(t, err)
	require.Len(t, k.Committees, 2)
	require.Equal(t, k.Committees[0].X, k.Committees[1].X)
	require.Equal(t, k.Committees[0].Y, k.Committees[1].Y)
	require.NotEqual(t, k.Committees[0].Encoded, k.Committees[1].Encoded)

	// The owner's member has asked for one that nobody waited for, and lets others do so.
	s.Run("the pause after the handover", func(v curation.View) bool { return v.MayHandOver(0) == nil })
	_, err = c.HandOver(t.Context())
	refused := problemOf(t, err, api.CodeName(curation.CodeWrongPhase))
	require.Equal(t, http.StatusConflict, refused.Status)
	require.Contains(t, refused.Detail, "another member may now")
	require.Equal(t, 1, k.Committees[1].Margin)
	require.Nil(t, k.Handover)
	require.Nil(t, k.Aborted)
}
