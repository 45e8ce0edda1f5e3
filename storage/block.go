package storage

import (
	"crypto/sha256"
	"fmt"

	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

const (
	// MaxBlock is the largest block, in bytes: what bitswap peers accept.
	MaxBlock = 2 << 20
	// MaxBlocks is the most blocks of one DAG, 256 GiB of file. With maxLinks it
	// bounds the memory that checking a stranger's DAG takes to about 100 MB.
	MaxBlocks = 1 << 18
	maxLinks  = 2 * MaxBlocks
)

// digest is the SHA-256 of a block; it is what the index knows blocks by.
type digest [sha256.Size]byte

// parse returns the digest of a CID that the store can hold.
func parse(c cid.Cid) (digest, error) {
	if !c.Defined() {
		return digest{}, fmt.Errorf("no CID: %w", ErrInvalid)
	}
	p := c.Prefix()
	if p.MhType != mh.SHA2_256 || p.MhLength != sha256.Size {
		return digest{}, fmt.Errorf("%s is not a full SHA-256: %w", c, ErrInvalid)
	}
	if p.Codec != cid.Raw && p.Codec != cid.DagProtobuf {
		return digest{}, fmt.Errorf("%s is neither raw nor dag-pb: %w", c, ErrInvalid)
	}
	h := c.Hash()
	return digest(h[len(h)-sha256.Size:]), nil
}

// rawCID names a digest as a raw block.
func rawCID(d digest) cid.Cid {
	h, err := mh.Encode(d[:], mh.SHA2_256)
	if err != nil {
		panic(err) // the code is known and the length is right
	}
	return cid.NewCidV1(cid.Raw, h)
}

// normal returns the CIDv1 form of a root, so that one DAG has one name.
func normal(c cid.Cid) (cid.Cid, error) {
	if _, err := parse(c); err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(c.Prefix().Codec, c.Hash()), nil
}

// links returns the CIDs that a block refers to, in order.
func links(c cid.Cid, data []byte) ([]cid.Cid, error) {
	if c.Prefix().Codec == cid.Raw {
		return nil, nil
	}
	b, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		return nil, err
	}
	nd, err := merkledag.DecodeProtobufBlock(b)
	if err != nil {
		return nil, fmt.Errorf("block %s: %v: %w", c, err, ErrInvalid)
	}
	out := make([]cid.Cid, len(nd.Links()))
	for i, l := range nd.Links() {
		out[i] = l.Cid
	}
	return out, nil
}

// plan returns the blocks below root, root first, depth-first in the order of
// the links, each once. get must return verified data, and is asked for dag-pb
// blocks only; have says whether a raw block is there. A few blocks that link to
// one another many times over would take whoever reads or lists them forever, so
// the DAG is refused when it is too large with every link followed.
func plan(root cid.Cid, get func(cid.Cid) ([]byte, error), have func(digest) bool) ([]cid.Cid, error) {
	type visit struct {
		digest
		raw bool
	}
	var (
		order   []cid.Cid
		planned = map[digest]bool{} // a block is listed once, under whichever CID comes first
		walked  = map[visit]bool{}
		under   = map[digest][]cid.Cid{} // links of the dag-pb blocks
		stack   = []cid.Cid{root}
		seen    = 1
	)
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		d, err := parse(c)
		if err != nil {
			return nil, err
		}
		v := visit{d, c.Prefix().Codec == cid.Raw}
		if walked[v] {
			continue
		}
		walked[v] = true
		if !planned[d] {
			planned[d] = true
			order = append(order, c)
		}
		var below []cid.Cid
		if !v.raw {
			data, err := get(c)
			if err != nil {
				return nil, err
			}
			if below, err = links(c, data); err != nil {
				return nil, err
			}
			under[d] = below
		} else if !have(d) {
			return nil, fmt.Errorf("block %s below %s: %w", c, root, ErrNotFound)
		}
		if seen += len(below); seen > maxLinks || len(order) > MaxBlocks {
			return nil, fmt.Errorf("more than %d blocks or %d links below %s: %w", MaxBlocks, maxLinks, root, ErrTooLarge)
		}
		for i := len(below) - 1; i >= 0; i-- {
			stack = append(stack, below[i])
		}
	}
	if unfolded(root, under) > maxLinks {
		return nil, fmt.Errorf("more than %d nodes below %s when every link is followed: %w", maxLinks, root, ErrTooLarge)
	}
	return order, nil
}

// unfolded counts the nodes that a reader meets who follows every link below root,
// given those of its dag-pb blocks, up to one more than maxLinks. It computes each
// block's count once, those below it first.
func unfolded(root cid.Cid, under map[digest][]cid.Cid) int {
	known := map[digest]int{}
	count := func(c cid.Cid) (digest, int) {
		d, err := parse(c)
		if err != nil || c.Prefix().Codec == cid.Raw {
			return d, 1
		}
		return d, known[d]
	}
	for stack := []cid.Cid{root}; len(stack) > 0; {
		d, n := count(stack[len(stack)-1])
		if n > 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		sum, waits := 1, false
		for _, below := range under[d] {
			_, n := count(below)
			if sum = min(sum+n, maxLinks+1); n == 0 {
				stack, waits = append(stack, below), true
			}
		}
		if !waits {
			known[d] = sum
		}
	}
	_, n := count(root)
	return n
}
