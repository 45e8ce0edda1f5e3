package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/storage"
)

// The first member's node, as its interface shows it.

// View implements api.Backend.
func (n *network) View(read func(curation.View) error) error { return n.members[0].replica.View(read) }

// Ledger implements api.Backend.
func (n *network) Ledger() ledger.Ledger { return n.ledger }

// Store implements api.Backend: one store stands for those of all members.
func (n *network) Store() *storage.Store { return n.store }

// holds says whether a member is there with its share.
func (p *peer) holds() bool { return p.machine != nil && p.machine.Ready() }

// held is how many members hold their shares now.
func (n *network) held() (count int) {
	for _, p := range n.members {
		if p.holds() {
			count++
		}
	}
	return count
}

// Releases implements api.Backend: what the first member has released.
func (n *network) Releases(rid *curation.Hash, limit int) (last []member.Entry, err error) {
	for _, e := range slices.Backward(n.members[0].journal) {
		if len(last) < limit && (rid == nil || e.RID == *rid) {
			last = append(last, e)
		}
	}
	return last, nil
}

// Info implements api.Backend.
func (n *network) Info() api.Info {
	me := n.members[0]
	i := api.Info{Name: memberNames[0], Member: 1, Account: accountOf(me.key), Version: "drill", HasShare: me.holds()}
	for _, p := range n.members[1:] {
		i.Peers = append(i.Peers, api.Peer{Member: p.index, Connected: p.machine != nil, Proves: p.holds()})
	}
	return i
}

// errByItself is what the interface's owner is told.
var errByItself = errors.New("the drill runs by itself: start a node to do this")

// SealModel implements api.Backend.
func (n *network) SealModel(context.Context, api.SealOptions, func(api.SealProgress)) (curation.Model, error) {
	return curation.Model{}, errByItself
}

// HandOver implements api.Backend.
func (n *network) HandOver(context.Context) error { return errByItself }

// Fetch implements api.Backend.
func (n *network) Fetch(_ context.Context, root cid.Cid, _ curation.Address, _ storage.Method) (storage.FetchReport, error) {
	if !n.store.Has(root) {
		return storage.FetchReport{}, fmt.Errorf("fetch %v: %w", root, storage.ErrNotFound)
	}
	return storage.FetchReport{Via: storage.ViaLocal}, nil
}

// JoinTrainings implements api.Backend.
func (n *network) JoinTrainings(context.Context, string) (api.Joined, error) {
	return api.Joined{}, errByItself
}

// LeaveTrainings implements api.Backend.
func (n *network) LeaveTrainings() error { return errByItself }

// OwnTraining implements api.Backend.
func (n *network) OwnTraining() api.OwnTraining { return api.OwnTraining{} }
