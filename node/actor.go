package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// actor runs one member.Machine: the only goroutine that touches it, and the place
// where its effects meet disk and network. Slow effects run beside it and come back
// as events.
type actor struct {
	n       *Node
	machine *member.Machine
	journal *journal
	events  chan member.Event
	log     *slog.Logger

	// The actor's goroutine alone uses these.
	tickets map[uint64]chan<- released
	ticket  uint64
	pending map[string]bool // submissions and questions under way, by key: their repetition is dropped
	behind  bool            // blocks came while the ledger was catching up

	asks   chan ask
	kept   chan keptReport
	wishes chan member.Submit
	done   chan string // keys of pending that ended

	work sync.WaitGroup // effects under way

	renders, editions chan struct{} // one token each: one render of a kind at a time in this node
	trainer           *trainer
}

type ask struct {
	event member.ReleaseAsked
	reply chan released
}

type released struct {
	share []byte
	err   error
}

type keptReport struct {
	rid       curation.Hash
	cid, name string
}

func newActor(n *Node, m *member.Machine, j *journal) *actor {
	return &actor{
		n: n, machine: m, journal: j, log: n.log.With("component", "member"),
		events: make(chan member.Event, 256), asks: make(chan ask), kept: make(chan keptReport, 64),
		wishes: make(chan member.Submit, 256), done: make(chan string, 256), pending: map[string]bool{}, tickets: map[uint64]chan<- released{}, renders: make(chan struct{}, 1), editions: make(chan struct{}, 1),
		trainer: newTrainer(n),
	}
}

// run steps the machine until ctx ends; everything it started has ended then.
func (a *actor) run(ctx context.Context) error {
	defer a.work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.work.Go(func() { a.submitAll(ctx) })
	a.adopt()
	a.writeNetworkFile(ctx)
	blocks := a.n.engine.Subscribe(ctx)
	if err := a.committed(ctx); err != nil {
		return err
	}
	catchUp := time.NewTicker(250 * time.Millisecond)
	defer catchUp.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case b, ok := <-blocks:
			if !ok {
				if ctx.Err() == nil {
					return errors.New("the ledger's blocks ended: the node cannot act as a member any more")
				}
				return nil
			}
			if changesNetworkFile(b) {
				a.writeNetworkFile(ctx)
			}
			err = a.committed(ctx)
		case <-catchUp.C:
			if a.behind {
				err = a.committed(ctx)
			}
		case key := <-a.done:
			delete(a.pending, key)
		case e := <-a.events:
			err = a.step(ctx, e)
			if _, left := e.(member.Departed); left && err == nil {
				a.n.gone(ctx)
			}
		case q := <-a.asks:
			a.ticket++
			q.event.Ticket = a.ticket
			a.tickets[a.ticket] = q.reply
			err = a.step(ctx, q.event)
		case k := <-a.kept:
			a.machine.Kept(k.rid, k.cid, k.name)
		}
		if err != nil {
			return err
		}
	}
}

// committed lets the machine look at the ledger, unless that is still catching up:
// on history it would ask for what is long done.
func (a *actor) committed(ctx context.Context) error {
	a.behind = a.n.engine.Status().CatchingUp
	if a.behind {
		return nil
	}
	return a.step(ctx, member.Committed{})
}

func (a *actor) writeNetworkFile(ctx context.Context) {
	if err := a.n.writeNetworkFile(); err != nil {
		a.log.WarnContext(ctx, "network.json not written", "err", err)
	}
}

// once runs something that may take long beside the actor, unless the same is under
// way already.
func (a *actor) once(ctx context.Context, key string, do func()) {
	if a.pending[key] {
		return
	}
	a.pending[key] = true
	a.work.Go(func() {
		do()
		a.ended(ctx, key)
	})
}

func (a *actor) ended(ctx context.Context, key string) {
	select {
	case a.done <- key:
	case <-ctx.Done():
	}
}

// adopt tells the machine which pictures and containers are pinned already, and which
// evidence is kept.
func (a *actor) adopt() {
	charges, err := outbox(a.n.home.Evidence()).load()
	if err != nil {
		a.log.Warn("evidence of an earlier run not read", "err", err)
	}
	for _, e := range charges {
		a.machine.Charge(e)
	}
	a.n.adoptTraining(a.machine)
	for _, p := range a.n.store.Pins() {
		here := a.n.store.Has(p.Root)
		if name, rid, ok := parsePin(p.Name); ok && here {
			a.machine.Kept(rid, p.Root.String(), name)
		}
		if file, ok := parseTastePin(p.Name); ok && here {
			a.machine.HoldsPrior(file)
		}
		if name, keyEpoch, ok := parseEpochPin(p.Name); ok {
			a.machine.Holds(keyEpoch, p.Root.String(), here && name == containerPin)
		}
	}
}

// step gives the machine an event and performs its effects in order. An error is a
// durable write that failed: the member must not go on.
func (a *actor) step(ctx context.Context, e member.Event) error {
	var effects []member.Effect
	a.machine.Trains(a.n.pictures.Load() != nil)
	if err := a.n.machine.View(func(v curation.View) error {
		effects = a.machine.Step(v, e)
		return nil
	}); err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	a.n.holder.Store(a.machine.Holder())
	if found := a.machine.Found(); found != nil {
		a.n.judged.Store(found)
	}
	for _, f := range effects {
		if err := a.perform(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (a *actor) perform(ctx context.Context, f member.Effect) error {
	switch f := f.(type) {
	case member.Journal:
		return a.journal.append(f.Entry)
	case member.KeepSeed:
		return keys.SaveSeed(string(a.n.home), a.n.opts.Passphrase, f.Epoch, f.Seed)
	case member.EraseSeed:
		if err := keys.EraseSeed(string(a.n.home), a.n.opts.Passphrase, f.Epoch); err != nil {
			a.log.WarnContext(ctx, "seed of an older committee not erased", "epoch", f.Epoch, "err", err)
		}
	case member.KeepEvidence:
		if err := outbox(a.n.home.Evidence()).keep(f.Evidence); err != nil { // it is brought all the same
			a.log.WarnContext(ctx, "evidence is lost if this node stops before the ledger has judged it", "member", f.Evidence.Member, "err", err)
		}
	case member.DropEvidence:
		if err := outbox(a.n.home.Evidence()).drop(f.Member); err != nil {
			a.log.WarnContext(ctx, "evidence not dropped", "member", f.Member, "err", err)
		}
	case member.Submit:
		if a.pending[f.Key] {
			return nil
		}
		select {
		case a.wishes <- f:
			a.pending[f.Key] = true
		default: // the machine asks again
			a.log.WarnContext(ctx, "submission queue is full", "key", f.Key)
		}
	case member.Gossip:
		a.work.Go(func() {
			if err := a.n.approvals.Publish(ctx, f.Approval); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "approval not gossiped", "err", err)
			}
		})
	case member.AskShare:
		a.once(ctx, fmt.Sprintf("ask/%v/%d/%d", f.RID, f.Role, f.Member), func() { a.askShare(ctx, f) })
	case member.Answer:
		if reply, ok := a.tickets[f.Ticket]; ok {
			delete(a.tickets, f.Ticket)
			reply <- released{f.Share, f.Err} // buffered by one
		}
	case member.Render:
		a.work.Go(func() { a.render(ctx, f) })
	case member.Keep:
		a.once(ctx, "keep/"+f.Name+"/"+f.CID, func() { a.keep(ctx, f) })
	case member.LetGo:
		a.work.Go(func() { a.letGo(ctx, f) })
	case member.KeepModel:
		a.once(ctx, "container/"+f.Model.ContainerCID, func() { a.keepModel(ctx, f) })
	case member.LetGoModel:
		a.work.Go(func() { a.letGoModel(ctx, f) })
	case member.Wrap:
		a.work.Go(func() { a.wrap(ctx, f) })
	case member.LearnTaste:
		a.once(ctx, fmt.Sprintf("taste/%d", f.Version), func() { a.learnTaste(ctx, f) })
	case member.KeepPrior:
		a.once(ctx, "prior/"+f.File.String(), func() { a.keepPrior(ctx, f) })
	case member.KeepTraining:
		return a.n.keepTraining(f)
	case member.ForgetTraining:
		a.forgetTraining(ctx, f)
	case member.FetchMasked:
		a.once(ctx, fmt.Sprintf("masked/%v", f.Hash), func() { a.fetchMasked(ctx, f) })
	case member.OpenArtist:
		a.trainer.begin(ctx, f.Number, func(ctx context.Context) { a.openArtist(ctx, f) })
	case member.Learn:
		inTime, late := context.WithCancelCause(ctx)
		a.trainer.late = late
		a.trainer.begin(ctx, f.Number, func(ctx context.Context) {
			defer late(nil)
			a.learn(ctx, inTime, f)
		})
	case member.StopLearning:
		a.trainer.stopLearning()
	case member.AddUp:
		a.trainer.begin(ctx, f.Number, func(ctx context.Context) { a.addUp(ctx, f) })
	case member.SealTrained:
		a.trainer.begin(ctx, f.Number, func(ctx context.Context) { a.sealTrained(ctx, f) })
	case member.Misbehaved:
		a.log.WarnContext(ctx, "a member broke the protocol", "member", f.Member, "what", f.What)
	case member.Note:
		a.note(ctx, f)
	}
	return nil
}

func (a *actor) note(ctx context.Context, f member.Note) {
	attrs := []any{}
	if f.RID != (curation.Hash{}) {
		attrs = append(attrs, "rid", f.RID)
	}
	if f.Err != nil {
		attrs = append(attrs, "err", f.Err)
		a.log.WarnContext(ctx, f.Text, attrs...)
		return
	}
	a.log.InfoContext(ctx, f.Text, attrs...)
}

// send gives the machine an event from outside its goroutine.
func (a *actor) send(ctx context.Context, e member.Event) {
	select {
	case a.events <- e:
	case <-ctx.Done():
	}
}

// submitAll signs and submits this member's transactions one after the other, in
// the order in which the machine asked for them.
func (a *actor) submitAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-a.wishes:
			if err := a.n.SubmitAs(ctx, a.n.secrets.Identity, w.Payload); err != nil && ctx.Err() == nil {
				var refused *RefusedError
				if errors.As(err, &refused) && (refused.Code == curation.CodeDuplicate || refused.Code == curation.CodeWrongPhase) {
					a.log.DebugContext(ctx, "transaction came too late", "key", w.Key, "err", err)
				} else {
					a.log.WarnContext(ctx, "transaction not taken", "key", w.Key, "err", err)
				}
			}
			a.ended(ctx, w.Key)
		}
	}
}

// releaseProtocol asks a member for its blinded share: 32 bytes of request id and
// one of role; the answer is 64 bytes of the member's signature, then the share.
var releaseProtocol = p2p.Protocol{ID: "/atelier/release/2", MaxRequest: 33, MaxResponse: 64 + curation.MaxReleasedShare, Timeout: 10 * time.Second, PerPeer: 16}

// Refusals of a release, by what the reader can do about them.
const codeNotDrawn = p2p.CodeProtocol

// answerRelease serves releaseProtocol.
func (a *actor) answerRelease(ctx context.Context, from peer.ID, req []byte) ([]byte, error) {
	if len(req) != 33 {
		return nil, p2p.Refuse(p2p.CodeMalformed, "want 33 bytes, have %d", len(req))
	}
	account, err := accountOf(from)
	if err != nil || !a.n.roster.Has(from) {
		return nil, p2p.Refuse(p2p.CodeRefused, "shares are for members")
	}
	if a.n.engine.Status().CatchingUp {
		return nil, p2p.Refuse(p2p.CodeNotYet, "this member's ledger is catching up")
	}
	q := ask{reply: make(chan released, 1), event: member.ReleaseAsked{From: account, RID: curation.Hash(req[:32]), Role: seal.Role(req[32])}}
	select {
	case a.asks <- q:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case r := <-q.reply:
		switch {
		case r.err == nil:
			return r.share, nil
		case errors.Is(r.err, member.ErrNotYet):
			return nil, p2p.Refuse(p2p.CodeNotYet, "%v", r.err)
		case errors.Is(r.err, member.ErrBusy):
			return nil, p2p.Refuse(p2p.CodeBusy, "%v", r.err)
		case errors.Is(r.err, member.ErrNotDrawn):
			return nil, p2p.Refuse(codeNotDrawn, "%v", r.err)
		default:
			return nil, p2p.Refuse(p2p.CodeRefused, "%v", r.err)
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// askAgain is after how long a member whose ledger is behind ours is asked again: long
// enough that the questions of several jobs stay below member.MaxAsks.
const askAgain = 200 * time.Millisecond

// askShare asks another member for its share, again for a while when that member's
// ledger is a block behind ours.
func (a *actor) askShare(ctx context.Context, f member.AskShare) {
	req := append(append([]byte{}, f.RID[:]...), byte(f.Role))
	ctx, cancel := context.WithTimeout(ctx, releaseProtocol.Timeout)
	defer cancel()
	var share []byte
	id, err := peerOf(f.From)
	for err == nil {
		share, err = p2p.Call(ctx, a.n.host, id, releaseProtocol, req)
		if p2p.CodeOf(err) != p2p.CodeNotYet {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(askAgain):
			err = ctx.Err()
		}
	}
	a.send(ctx, member.ShareArrived{RID: f.RID, Role: f.Role, Member: f.Member, Share: share, Err: err})
}

// fetchTimeout bounds one attempt to fetch a folder or a model.
const fetchTimeout = 2 * time.Minute

// keep fetches an artwork's folder and pins it.
func (a *actor) keep(ctx context.Context, f member.Keep) {
	root, err := cid.Decode(f.CID)
	if err == nil {
		var from []peer.ID
		for _, account := range f.From {
			if id, err := peerOf(account); err == nil {
				from = append(from, id)
			}
		}
		// Pinned first: another artwork's end may collect what is not.
		if err = a.n.pin(root, pinName(f.Name, f.RID)); err == nil {
			fetching, cancel := context.WithTimeout(ctx, fetchTimeout)
			_, err = a.n.exchange.Fetch(fetching, root, from)
			cancel()
		}
	}
	if err != nil {
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "artwork not fetched yet", "cid", f.CID, "err", err)
		}
		return
	}
	select {
	case a.kept <- keptReport{f.RID, f.CID, f.Name}:
	case <-ctx.Done():
	}
	if f.Name == member.Published {
		a.n.provide(ctx, root)
	}
}

func (a *actor) letGo(ctx context.Context, f member.LetGo) {
	root, err := cid.Decode(f.CID)
	if err == nil && a.n.pinned(root) == pinName(member.Candidate, f.RID) {
		if err = a.n.store.Unpin(root); err == nil {
			_, err = a.n.store.Collect(ctx)
		}
	}
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "artwork not let go", "cid", f.CID, "err", err)
	}
}

// listen brings gossiped approvals to the machine.
func (a *actor) listen(ctx context.Context) error {
	sub, err := a.n.approvals.Subscribe()
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if m.Author != a.n.host.ID() {
			a.send(ctx, member.Approval(m.Value))
		}
	}
}

var approvalCodec = p2p.Codec[quorum.Approval]{
	Encode: func(v quorum.Approval) ([]byte, error) { return v.Bytes(), nil },
	Decode: quorum.ParseApproval,
}
