package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ipfs/boxo/bitswap/client/traceability"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
)

// maxWants is how many blocks are asked for at once. At 256 wants to one peer
// with default limits transfers stall, past 1024 servers cut the list; up to 128
// finished in every trial (research of November 2026, boxo v0.43.0).
const maxWants = 128

// fetchBitswap walks the DAG from its root, asking for up to maxWants blocks at
// a time. p, when given, is connected first. It returns the peer that gave most
// bytes.
func (x *Exchange) fetchBitswap(ctx context.Context, root cid.Cid, p peer.ID) (Size, peer.ID, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(x.opts.Patience, func() { cancel(ErrSilent) })
	defer idle.Stop()
	if p != "" {
		if err := x.host.Connect(ctx, peer.AddrInfo{ID: p}); err != nil {
			return Size{}, "", err
		}
	}
	if len(x.host.Network().Peers()) == 0 {
		return Size{}, "", fmt.Errorf("no peer is connected: %w", ErrNotFound)
	}
	st, err := x.store.newStage(root)
	if err != nil {
		return Size{}, "", err
	}
	given, err := x.stageDAG(ctx, st, root, func() { idle.Reset(x.opts.Patience) })
	if err != nil {
		st.drop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return Size{}, "", err
	}
	order, size, err := st.complete(root, true)
	if err != nil {
		st.drop()
		return Size{}, "", invalid(err)
	}
	var most peer.ID
	for q, n := range given {
		if most == "" || n > given[most] || n == given[most] && q < most {
			most = q
		}
	}
	return size, most, st.commit(ctx, root, order)
}

// stageDAG stages all blocks below root and counts the bytes that each peer gave.
func (x *Exchange) stageDAG(ctx context.Context, st *stage, root cid.Cid, progress func()) (map[peer.ID]int64, error) {
	given := map[peer.ID]int64{}
	wanted := map[cid.Cid]bool{root: true}
	queue := []cid.Cid{root}
	seen := 1
	take := func(b blocks.Block) error {
		progress()
		if t, ok := b.(traceability.Block); ok {
			given[t.From] += int64(len(b.RawData()))
		}
		if _, err := st.add(b.Cid(), b.RawData()); err != nil {
			return err
		}
		if st.off > x.opts.MaxBytes {
			return fmt.Errorf("more than %d bytes: %w", x.opts.MaxBytes, ErrTooLarge)
		}
		below, err := links(b.Cid(), b.RawData())
		if err != nil {
			return err
		}
		if seen += len(below); seen > maxLinks {
			return fmt.Errorf("more than %d links: %w", maxLinks, ErrTooLarge)
		}
		for _, c := range below {
			if _, err := parse(c); err != nil {
				return err
			}
			if !wanted[c] {
				wanted[c] = true
				queue = append(queue, c)
			}
		}
		return nil
	}
	for len(queue) > 0 {
		batch := slices.Clone(queue[:min(len(queue), maxWants)])
		queue = queue[len(batch):]
		if err := x.getBlocks(ctx, batch, take); err != nil {
			return nil, err
		}
	}
	return given, nil
}

// askAgain is after how long without a block the missing ones are asked for again; a
// quarter of the patience, where that is less.
const askAgain = 5 * time.Second

// getBlocks takes every block of batch. When none comes for a while it asks again for
// those that are missing, in a new session: a peer that counts a block as sent does not
// send it again by itself, and bitswap repeats a want after a minute only.
func (x *Exchange) getBlocks(ctx context.Context, batch []cid.Cid, take func(blocks.Block) error) error {
	missing := map[cid.Cid]bool{}
	for _, c := range batch {
		missing[c] = true
	}
	pause := min(askAgain, x.opts.Patience/4)
	for {
		asking, stop := context.WithCancel(ctx)
		quiet := time.AfterFunc(pause, stop)
		in, err := x.bitswap.NewSession(asking).GetBlocks(asking, slices.Collect(maps.Keys(missing)))
		for err == nil {
			b, ok := <-in
			if !ok {
				break
			}
			quiet.Reset(pause)
			delete(missing, b.Cid())
			err = take(b)
		}
		silent := asking.Err() != nil
		quiet.Stop()
		stop()
		switch {
		case len(missing) == 0 && err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !silent:
			return err
		case !silent:
			return fmt.Errorf("%d of %d blocks did not come: %w", len(missing), len(batch), ErrNotFound)
		}
	}
}
