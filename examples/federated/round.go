package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing/fstest"
	"time"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/federated"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// network is the peers with what lies between them: a ledger and a store of files.
type network struct {
	plan     plan
	learners []*model.Learner
	report   *report // nil to count nothing
}

func newNetwork(ctx context.Context, p plan, start *model.Artist, owned []fstest.MapFS, r *report) (*network, error) {
	n := &network{plan: p, report: r}
	for i, pictures := range owned {
		l, err := model.NewLearner(ctx, start, pictures, model.LearnerOptions{Workers: p.workers, Batch: p.Batch})
		if err != nil {
			return nil, fmt.Errorf("peer %d: %w", i+1, err)
		}
		n.learners = append(n.learners, l)
	}
	return n, nil
}

// peer is one member in one round: what it keeps on disk, and the phase from which it is gone.
type peer struct {
	state []byte
	gone  secagg.Phase
}

// gathering is one round under way.
type gathering struct {
	*network
	number int
	base   *model.Artist
	key    secagg.ReaderKey
	ledger *secagg.Round
	height uint64
	peers  []peer
	files  map[[32]byte][]byte
	plain  map[uint32][]uint32 // inputs without masks, to compare with
	sum    []uint32
}

var errDiffers = errors.New("the masked sum is not the plain sum")

// round is one round of secure aggregation with drop-outs. It returns the average change
// and whose changes it is of.
func (n *network) round(ctx context.Context, number int, base *model.Artist) ([]float64, []uint32, error) {
	p := n.plan
	session := secagg.Session(p.seed("chain", 0, 0), uint64(number), base.ID())
	norm, err := federated.Norm(p.Clip)
	if err != nil {
		return nil, nil, err
	}
	g := &gathering{network: n, number: number, base: base, key: base.ReaderKey(session), files: map[[32]byte][]byte{}, plain: map[uint32][]uint32{}}
	g.ledger, err = secagg.NewRound(secagg.Params{
		Session: session, Members: p.Peers, Threshold: shamir.Threshold(p.Peers), Length: base.Parameters(), Norm: norm, Reader: g.key.Commitment(),
		Deadlines: secagg.Deadlines{Advertise: 2, Share: 2, Dispute: 1, Input: 2, Confirm: 2, Unmask: 2, Result: 2},
	}, 1)
	if err != nil {
		return nil, nil, err
	}
	if err := g.begin(); err != nil {
		return nil, nil, err
	}
	for g.ledger.Phase() < secagg.PhaseDone {
		if err := g.block(ctx); err != nil {
			return nil, nil, err
		}
	}
	return g.adopt()
}

// begin makes the participants, and draws who drops out and when.
func (g *gathering) begin() error {
	p := g.plan
	rng := rand.New(rand.NewPCG(p.Seed, uint64(g.number)<<8|2))
	g.peers = make([]peer, p.Peers)
	for i := range g.peers {
		member, err := secagg.NewParticipant(uint32(i+1), p.seed("mask", g.number, uint32(i+1)), g.key)
		if err != nil {
			return err
		}
		g.peers[i].gone = secagg.PhaseAborted
		if g.peers[i].state, err = member.MarshalBinary(); err != nil {
			return err
		}
	}
	for _, i := range rng.Perm(p.Peers)[:p.Peers*p.Drop/100] {
		g.peers[i].gone = secagg.PhaseAdvertise + secagg.Phase(rng.IntN(int(secagg.PhaseResult)))
		g.report.Gone[g.peers[i].gone.String()]++
	}
	return nil
}

// block has all peers that are there act once, and ends the block.
func (g *gathering) block(ctx context.Context) error {
	g.height++
	for i := range g.peers {
		if g.ledger.Phase() >= g.peers[i].gone {
			continue
		}
		if err := g.act(ctx, uint32(i+1)); err != nil {
			return fmt.Errorf("peer %d: %w", i+1, err)
		}
	}
	g.ledger.EndBlock(g.height)
	return nil
}

// act reads the peer's state from its disk, steps, and carries the effects out.
func (g *gathering) act(ctx context.Context, index uint32) error {
	peer := &g.peers[index-1]
	member, err := secagg.UnmarshalParticipant(peer.state)
	if err != nil {
		return err
	}
	var event secagg.Event
	for range 2 { // once more with the answer to what it wants
		began := time.Now()
		out, err := member.Step(g.height, g.ledger, event)
		if err != nil {
			return err
		}
		if out.State != nil {
			peer.state = out.State
		}
		if out.File != nil {
			g.files[sha256.Sum256(out.File)] = out.File
			g.report.File = len(out.File)
		}
		for _, m := range out.Post {
			if err := g.ledger.Apply(g.height, index, m); err != nil {
				return err
			}
			g.report.Ledger += len(m.Body)
		}
		event = secagg.Event{}
		switch {
		case out.WantInput:
			if event.Input, err = g.input(ctx, g.number, g.base, index); err != nil {
				return err
			}
			g.plain[index] = event.Input
			began = time.Now() // training is counted apart
		case out.WantFiles != nil:
			for _, of := range out.WantFiles {
				h, _ := g.ledger.Input(of)
				if g.ledger.CheckFile(of, g.files[h]) == nil {
					event.Held = append(event.Held, of)
				}
			}
		case out.WantSum:
			if event.Sum, err = g.addUp(); err != nil {
				return err
			}
		default:
			g.report.Masking += time.Since(began)
			return nil
		}
		g.report.Masking += time.Since(began)
	}
	return nil
}

// addUp is what a peer finds as the sum; each computes it by itself.
func (g *gathering) addUp() (*secagg.Result, error) {
	sum, err := g.ledger.Sum(g.key, func(member uint32) ([]byte, error) {
		h, _ := g.ledger.Input(member)
		return g.files[h], nil
	})
	if err != nil {
		return nil, err
	}
	g.sum = sum
	found := g.ledger.Judge(g.key, sum)
	return &found, nil
}

// adopt compares the sum with the outcome on the ledger and with the plain sum.
func (g *gathering) adopt() ([]float64, []uint32, error) {
	outcome, err := g.ledger.Outcome()
	if err != nil {
		return nil, nil, err
	}
	survivors := g.ledger.Survivors()
	plain := make([]uint32, len(g.sum))
	for _, s := range survivors {
		for i, x := range g.plain[s] {
			plain[i] += x
		}
	}
	g.report.Rounds++
	if !slices.Equal(plain, g.sum) || g.ledger.Judge(g.key, g.sum).Hash != outcome {
		return nil, nil, errDiffers
	}
	g.report.BitEqual++
	g.report.Threshold = g.ledger.Params().Threshold
	return federated.Average(g.sum, len(survivors)), survivors, nil
}
