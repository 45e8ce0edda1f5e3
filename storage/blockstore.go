package storage

import (
	"context"
	"errors"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// Blockstore is a read-only view of all blocks, for boxo's tools. Writing is
// refused: a block enters with its DAG or not at all.
func (s *Store) Blockstore() blockstore.Blockstore { return view{s} }

type view struct{ s *Store }

var errReadOnly = errors.New("this view of the store is read-only")

func (v view) Put(context.Context, blocks.Block) error       { return errReadOnly }
func (v view) PutMany(context.Context, []blocks.Block) error { return errReadOnly }
func (v view) DeleteBlock(context.Context, cid.Cid) error    { return errReadOnly }

func (v view) Has(_ context.Context, c cid.Cid) (bool, error) { return v.s.Has(c), nil }

func (v view) Get(_ context.Context, c cid.Cid) (blocks.Block, error) {
	data, err := v.s.get(c)
	if err != nil {
		return nil, foreign(c, err)
	}
	return blocks.NewBlockWithCid(data, c)
}

func (v view) GetSize(_ context.Context, c cid.Cid) (int, error) {
	d, err := parse(c)
	if err != nil {
		return 0, foreign(c, err)
	}
	p, err := v.s.find(d)
	if err != nil {
		return 0, foreign(c, err)
	}
	return int(p.seg.spans[p.i].size), nil
}

// foreign turns our words for "not here" into the library's. A CID that the
// store can never hold is not here either.
func foreign(c cid.Cid, err error) error {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrInvalid) {
		return format.ErrNotFound{Cid: c}
	}
	return err
}

// AllKeysChan lists all blocks under raw CIDs: the store knows them by digest.
func (v view) AllKeysChan(ctx context.Context) (<-chan cid.Cid, error) {
	v.s.mu.RLock()
	all := make([]digest, 0, len(v.s.blocks))
	for d := range v.s.blocks {
		all = append(all, d)
	}
	v.s.mu.RUnlock()
	out := make(chan cid.Cid)
	go func() {
		defer close(out)
		for _, d := range all {
			select {
			case out <- rawCID(d):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// offlineBlocks is a block service that never asks the network.
func offlineBlocks(s *Store) blockservice.BlockService {
	return blockservice.New(view{s}, offline.Exchange(view{s}))
}

func newDAGService(s *Store) format.DAGService { return merkledag.NewDAGService(offlineBlocks(s)) }

// builder is the DAG service that files and folders are built into.
type builder struct {
	put func(cid.Cid, []byte) (bool, error)
	get func(cid.Cid) ([]byte, error)
}

func (b builder) Add(_ context.Context, nd format.Node) error {
	_, err := b.put(nd.Cid(), nd.RawData())
	return err
}

func (b builder) AddMany(ctx context.Context, nds []format.Node) error {
	for _, nd := range nds {
		if err := b.Add(ctx, nd); err != nil {
			return err
		}
	}
	return nil
}

func (b builder) Get(_ context.Context, c cid.Cid) (format.Node, error) {
	data, err := b.get(c)
	if err != nil {
		return nil, foreign(c, err)
	}
	blk, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		return nil, err
	}
	if c.Prefix().Codec == cid.Raw {
		return merkledag.DecodeRawBlock(blk)
	}
	return merkledag.DecodeProtobufBlock(blk)
}

func (b builder) GetMany(ctx context.Context, cs []cid.Cid) <-chan *format.NodeOption {
	out := make(chan *format.NodeOption, len(cs))
	defer close(out)
	for _, c := range cs {
		nd, err := b.Get(ctx, c)
		out <- &format.NodeOption{Node: nd, Err: err}
	}
	return out
}

// Remove keeps what a folder no longer needs while it grows: a stage leaves it
// behind when it is committed.
func (b builder) Remove(context.Context, cid.Cid) error       { return nil }
func (b builder) RemoveMany(context.Context, []cid.Cid) error { return nil }
