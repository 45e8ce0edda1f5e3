package guardian

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// ErrDoubt reports a ledger that cannot be the one of the guardian's network.
var ErrDoubt = errors.New("nothing is done on this node's word, ask another node")

// networkVersion is that of the form of Bytes.
const networkVersion = 1

// written is the JSON of a Network.
type written struct {
	Version int    `json:"version"`
	Chain   string `json:"chain"`
	X       string `json:"x"`
	Y       string `json:"y"`
}

// Bytes is what the guardian writes down: JSON with hex.
func (n Network) Bytes() []byte {
	b, err := json.MarshalIndent(written{networkVersion, hex.EncodeToString(n.Chain[:]), hex.EncodeToString(n.X[:]), hex.EncodeToString(n.Y[:])}, "", "  ")
	if err != nil { // strings only
		panic(err)
	}
	return append(b, '\n')
}

// ParseNetwork reads what Bytes wrote. The keys are points other than the identity.
func ParseNetwork(b []byte) (Network, error) {
	var w written
	if err := json.Unmarshal(b, &w); err != nil {
		return Network{}, fmt.Errorf("not what a guardian writes down of its network: %w", err)
	}
	if w.Version != networkVersion {
		return Network{}, fmt.Errorf("what a guardian wrote down of its network has version %d, want %d", w.Version, networkVersion)
	}
	var n Network
	for _, field := range []struct {
		name, text string
		to         []byte
	}{{"chain", w.Chain, n.Chain[:]}, {"x", w.X, n.X[:]}, {"y", w.Y, n.Y[:]}} {
		raw, err := hex.DecodeString(field.text)
		if err != nil || len(raw) != len(field.to) {
			return Network{}, fmt.Errorf("%s of the guardian's network is not %d bytes in hex", field.name, len(field.to))
		}
		copy(field.to, raw)
	}
	if _, err := shamir.DecodePoint(shamir.Ristretto255, n.X[:]); err != nil {
		return Network{}, fmt.Errorf("x of the guardian's network: %w", err)
	}
	if _, err := shamir.DecodePoint(shamir.G2, n.Y[:]); err != nil {
		return Network{}, fmt.Errorf("y of the guardian's network: %w", err)
	}
	return n, nil
}

// Check refuses a ledger that is not of the network that the guardian knows, or whose
// parts do not belong together. That the transcripts hold in themselves is for who reads
// them to audit. So a sharing that counts is of the network's key: only who has that, t
// members or as many guardians as act for all, could have dealt it. Its error wraps
// ErrDoubt.
func (g *Guardian) Check(l Ledger) error {
	if g.Known != nil && *g.Known != l.Network {
		return fmt.Errorf("%w: it tells of the key %x… of network %v, this guardian has accepted a share of the key %x… of network %v",
			ErrDoubt, l.X[:6], l.Chain, g.Known.X[:6], g.Known.Chain)
	}
	guardians := curation.GuardianChain(l.Chain)
	if s := l.Estate.Sharing; s != nil {
		c, err := l.sharing()
		switch {
		case err != nil:
			return fmt.Errorf("%w: sharing %d is said to count: %w", ErrDoubt, s.Number, err)
		case c.X() != l.X || c.Y() != l.Y:
			return fmt.Errorf("%w: sharing %d is of another key than the network's", ErrDoubt, s.Number)
		}
		if err := opens(l.Sharing, guardians, s.Number); err != nil {
			return fmt.Errorf("%w: sharing %d: %w", ErrDoubt, s.Number, err)
		}
	}
	if s := l.Estate.Running; s != nil {
		if l.Running == nil || l.Running.Phase() >= dkg.PhaseActive {
			return fmt.Errorf("%w: sharing %d is said to be under way, and it has ended", ErrDoubt, s.Number)
		}
		if err := opens(l.Running, guardians, s.Number); err != nil {
			return fmt.Errorf("%w: sharing %d: %w", ErrDoubt, s.Number, err)
		}
		if from := l.Running.Params().Previous; from.X() != l.X || from.Y() != l.Y {
			return fmt.Errorf("%w: sharing %d is of another key than the network's", ErrDoubt, s.Number)
		}
	}
	if r := l.Recovery; r != nil {
		if r.Log == nil || r.Log.Params().Epoch != r.Epoch {
			return fmt.Errorf("%w: the recovery is not one to epoch %d", ErrDoubt, r.Epoch)
		}
		if err := opens(r.Log, l.Chain, r.Attempt); err != nil {
			return fmt.Errorf("%w: recovery to epoch %d, attempt %d: %w", ErrDoubt, r.Epoch, r.Attempt, err)
		}
	}
	return nil
}

// sharing is what came of the sharing that counts.
func (l Ledger) sharing() (*shamir.Committee, error) {
	if l.Sharing == nil {
		return nil, errors.New("its transcript is missing")
	}
	return l.Sharing.Committee()
}

// opens checks that a transcript is of this chain and has this number: both are in its
// session.
func opens(log *dkg.Log, chain curation.Hash, number uint64) error {
	p := log.Params()
	if p.Previous == nil || p.Session != dkg.Session(chain, p.Epoch, p.Previous.Digest(), number) {
		return errors.New("its transcript is of another ceremony")
	}
	return nil
}

// Agrees says whether another node tells the same of all that an effect rests on. The
// error names what differs.
func (l Ledger) Agrees(other Ledger, f Effect) error {
	if l.Network != other.Network {
		return fmt.Errorf("it is a node of another network, %v with the key %x…", other.Chain, other.X[:6])
	}
	if here, there := l.grounds(f), other.grounds(f); here != there {
		return fmt.Errorf("it tells of %s, and the first node of %s", there.told, here.told)
	}
	return nil
}

// ground is what an effect rests on, but for the network: in words, and whole.
type ground struct{ told, exact string }

func (l Ledger) grounds(f Effect) ground {
	if _, erases := f.(EraseSeed); erases {
		return l.counts()
	}
	s, ok := f.(Submit)
	if !ok {
		return ground{told: "this network"}
	}
	switch s.Payload.(type) {
	case curation.Publish:
		g, silent := l.counts(), l.Estate.Silent()
		if l.Height > silent {
			g.told += fmt.Sprintf(" and a silence until height %d that is over", silent)
		} else {
			g.told += fmt.Sprintf(" and a silence until height %d that is not over", silent)
		}
		return g
	case curation.CeremonyMessage:
		r := l.Recovery
		if r == nil || r.Log == nil {
			return ground{told: "no such recovery"}
		}
		id := r.Log.ID()
		return ground{fmt.Sprintf("the recovery %x… to epoch %d, attempt %d, by guardians %v", id[:6], r.Epoch, r.Attempt, r.Guardians), string(id[:])}
	case curation.GuardianMessage:
		if l.Estate.Running != nil && l.Running != nil {
			id, all := l.Running.ID(), sha256.New()
			for dealer := range l.Running.Dealers() {
				for _, kind := range []dkg.Kind{dkg.KindCommit, dkg.KindBundle} {
					said := sha256.Sum256(l.Running.Said(uint32(dealer+1), kind))
					all.Write(said[:])
				}
			}
			deals := all.Sum(nil)
			return ground{fmt.Sprintf("sharing %d under way, %x… with the deals %x…", l.Estate.Running.Number, id[:6], deals[:6]), string(id[:]) + string(deals)}
		}
		return l.counts()
	}
	return ground{told: "this network"}
}

// counts tells of the sharing that counts.
func (l Ledger) counts() ground {
	if l.Estate.Sharing == nil || l.Sharing == nil {
		return ground{told: "no sharing that counts"}
	}
	id := l.Sharing.ID()
	return ground{fmt.Sprintf("sharing %d, %x…, which counts,", l.Estate.Sharing.Number, id[:6]), string(id[:])}
}
