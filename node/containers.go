package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// The containers of sealed models on this node's disk. Each is pinned under the number of
// its key epoch, so that a node which comes back knows what it has, and may let go of
// what no key epoch to come can name.

// keepModel performs a member.KeepModel.
func (a *actor) keepModel(ctx context.Context, f member.KeepModel) {
	c, err := a.n.container(ctx, f.Model, f.Sealer)
	switch {
	case err == nil:
		err = c.Close()
	case !errors.Is(err, member.ErrContainer):
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "sealed model not fetched yet", "key_epoch", f.Model.KeyEpoch, "cid", f.Model.ContainerCID, "err", err)
		}
		return
	}
	a.send(ctx, member.ModelKept{KeyEpoch: f.Model.KeyEpoch, CID: f.Model.ContainerCID, Err: err})
}

// letGoModel performs a member.LetGoModel.
func (a *actor) letGoModel(ctx context.Context, f member.LetGoModel) {
	root, err := cid.Decode(f.CID)
	if err == nil {
		if _, keyEpoch, ok := parseEpochPin(a.n.pinned(root)); ok && keyEpoch == f.KeyEpoch {
			if err = a.n.store.Unpin(root); err == nil {
				_, err = a.n.store.Collect(ctx)
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "container not let go", "key_epoch", f.KeyEpoch, "cid", f.CID, "err", err)
	}
}

// wrap performs a member.Wrap. The container goes through as it stands: this node has no
// key to it.
func (a *actor) wrap(ctx context.Context, f member.Wrap) {
	var done member.Wrapped
	inside, err := a.n.container(ctx, f.Container, f.Sealer)
	if err == nil {
		done.Rotate, err = a.n.seal(ctx, f.Sealing, inside)
		err = errors.Join(err, inside.Close())
	}
	done.Err = err
	a.send(ctx, done)
}

// container opens a sealed model's container, which is fetched unless it is here, and has
// been held against what the ledger tells of it. Its error wraps member.ErrContainer when
// it is another.
func (n *Node) container(ctx context.Context, m curation.Model, sealer curation.Address) (io.ReadCloser, error) {
	root, err := cid.Decode(m.ContainerCID)
	if err != nil {
		return nil, err
	}
	checked := epochPin(containerPin, m.KeyEpoch)
	if n.pinned(root) == checked && n.store.Has(root) {
		return n.store.OpenFile(ctx, root, "")
	}
	// Pinned first: another artwork's end may collect what is not.
	if err := n.pin(root, epochPin(fetchingPin, m.KeyEpoch)); err != nil {
		return nil, err
	}
	fetching, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if _, err := n.exchange.Fetch(fetching, root, n.others(sealer)); err != nil {
		return nil, fmt.Errorf("model %v is not to be had from any member: %w", root, err)
	}
	c, err := n.store.OpenFile(ctx, root, "")
	if err != nil {
		return nil, err
	}
	if err = member.CheckContainer(c, m); err == nil {
		_, err = c.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = n.pin(root, checked)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// seal makes a container of what it reads, under a fresh key that nobody keeps, and pins
// it.
func (n *Node) seal(ctx context.Context, s member.Sealing, plain io.Reader) (curation.Rotate, error) {
	type outcome struct {
		rotate curation.Rotate
		err    error
	}
	sealed := make(chan outcome, 1)
	r, w := io.Pipe()
	go func() {
		rotate, err := s.Seal(rand.Reader, w, plain)
		w.CloseWithError(err)
		sealed <- outcome{rotate, err}
	}()
	root, err := n.store.PutFilePinned(ctx, r, epochPin(containerPin, s.KeyEpoch))
	r.CloseWithError(err) // ends the other side, whatever it waits for
	o := <-sealed
	if err := errors.Join(err, o.err); err != nil {
		return curation.Rotate{}, fmt.Errorf("seal for key epoch %d: %w", s.KeyEpoch, err)
	}
	o.rotate.ContainerCID = root.String()
	return o.rotate, nil
}
