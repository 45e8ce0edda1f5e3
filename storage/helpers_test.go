package storage

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

func sum(b []byte) digest { return sha256.Sum256(b) }

func linkTo(c cid.Cid) *format.Link { return &format.Link{Cid: c} }

// twoRoots is a CARv1 header with two roots.
func twoRoots(a, b cid.Cid) []byte {
	h := []byte{0xa2, 0x65, 'r', 'o', 'o', 't', 's', 0x82}
	for _, c := range []cid.Cid{a, b} {
		h = append(h, 0xd8, 0x2a, 0x58, byte(c.ByteLen()+1), 0)
		h = append(h, c.Bytes()...)
	}
	h = append(h, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x01)
	return append(binary.AppendUvarint(nil, uint64(len(h))), h...)
}
