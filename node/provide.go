package node

import (
	"context"
	"strings"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// Provider records in the network's own hash table last for two days; members renew
// theirs well before.
const (
	provideEvery   = 22 * time.Hour
	provideTimeout = 30 * time.Second
)

// provide says in the network's hash table that this member has a published work. It
// is a help for finding it by content, never a condition for keeping it.
func (n *Node) provide(ctx context.Context, root cid.Cid) {
	ctx, cancel := context.WithTimeout(ctx, provideTimeout)
	defer cancel()
	if err := n.host.DHT().Provide(ctx, root, true); err != nil && ctx.Err() == nil {
		n.log.DebugContext(ctx, "published work not provided", "cid", root, "err", err)
	}
}

// provideAll renews the records of all published works, first as soon as another
// member is there to hold them.
func (n *Node) provideAll(ctx context.Context) error {
	wait := time.NewTimer(provideTimeout)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		if len(n.host.Network().Peers()) == 0 {
			wait.Reset(provideTimeout)
			continue
		}
		for _, p := range n.store.Pins() {
			if strings.HasPrefix(p.Name, member.Published+"/") {
				n.provide(ctx, p.Root)
			}
		}
		wait.Reset(provideEvery)
	}
}

// Providers are the accounts that say in the network's hash table that they have a
// root, this member's own among them.
func (n *Node) Providers(ctx context.Context, root cid.Cid) ([]curation.Address, error) {
	infos, err := n.host.DHT().FindProviders(ctx, root)
	if err != nil {
		return nil, err
	}
	var found []curation.Address
	for _, i := range infos {
		account, err := accountOf(i.ID)
		if err != nil {
			return nil, err
		}
		found = append(found, account)
	}
	return found, nil
}
