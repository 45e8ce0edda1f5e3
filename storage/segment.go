package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ipfs/go-cid"
)

const segmentSuffix = ".car"

// segment is one file under segments/: a CARv1 of exactly the DAG of root.
type segment struct {
	root  cid.Cid // CIDv1
	bytes int64   // of the file
	spans []span
}

// span says where a block lies in its segment.
type span struct {
	digest digest
	off    int64
	size   int32
}

func segmentName(root cid.Cid) string { return root.String() + segmentSuffix }

// segmentRoot is the inverse of segmentName; ok is false for foreign files.
func segmentRoot(name string) (root cid.Cid, ok bool) {
	text, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return cid.Undef, false
	}
	return rootFromText(text)
}

// rootFromText reads the one text form that file names use.
func rootFromText(text string) (cid.Cid, bool) {
	c, err := cid.Decode(text)
	if err != nil {
		return cid.Undef, false
	}
	if n, err := normal(c); err != nil || n.String() != text {
		return cid.Undef, false
	}
	return c, true
}

// carHeader is the CARv1 header {roots: [root], version: 1} in dag-cbor with its
// length before it.
func carHeader(root cid.Cid) []byte {
	raw := root.Bytes()
	h := []byte{0xa2, 0x65, 'r', 'o', 'o', 't', 's', 0x81, 0xd8, 0x2a, 0x58, byte(len(raw) + 1), 0x00}
	h = append(h, raw...)
	h = append(h, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x01)
	return append(binary.AppendUvarint(nil, uint64(len(h))), h...)
}

// sectionHeader is what a CAR puts before a block's data.
func sectionHeader(c cid.Cid, size int) []byte {
	raw := c.Bytes()
	return append(binary.AppendUvarint(nil, uint64(len(raw)+size)), raw...)
}

// maxSectionHeader bounds sectionHeader: a varint of at most 4 bytes for
// MaxBlock, and a CID of 36 or fewer.
const maxSectionHeader = 4 + 36

// scan reads the section headers of a segment that holds root. It hashes
// nothing; blocks are hashed when they are read.
func scan(f io.ReaderAt, size int64, root cid.Cid) (*segment, error) {
	want := carHeader(root)
	head := make([]byte, len(want))
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if string(head) != string(want) {
		return nil, errors.New("header names another root")
	}
	seg := &segment{root: root, bytes: size}
	seen := map[digest]bool{}
	buf := make([]byte, maxSectionHeader)
	for off := int64(len(want)); off < size; {
		n, err := f.ReadAt(buf, off)
		if err != nil && err != io.EOF {
			return nil, err
		}
		length, w := binary.Uvarint(buf[:n])
		if w <= 0 || length > MaxBlock+maxSectionHeader {
			return nil, fmt.Errorf("section length at %d", off)
		}
		cn, c, err := cid.CidFromBytes(buf[w:n])
		if err != nil {
			return nil, fmt.Errorf("CID at %d: %w", off, err)
		}
		d, err := parse(c)
		if err != nil {
			return nil, err
		}
		s := span{digest: d, off: off + int64(w+cn), size: int32(int64(length) - int64(cn))}
		if s.size < 0 || s.size > MaxBlock || s.off+int64(s.size) > size {
			return nil, fmt.Errorf("block at %d reaches past the end", off)
		}
		if seen[d] || len(seg.spans) == MaxBlocks {
			return nil, fmt.Errorf("block at %d is one too many", off)
		}
		seen[d] = true
		seg.spans = append(seg.spans, s)
		off = s.off + int64(s.size)
	}
	if rd, _ := parse(root); len(seg.spans) == 0 || seg.spans[0].digest != rd {
		return nil, errors.New("does not begin with its root")
	}
	return seg, nil
}

// openSegment scans the segment file of root.
func (d *disk) openSegment(root cid.Cid) (*segment, error) {
	f, err := os.Open(d.path(segmentsDir, segmentName(root)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return scan(f, st.Size(), root)
}

// readBlock reads and hashes one block of a segment.
func (d *disk) readBlock(root cid.Cid, s span) ([]byte, error) {
	f, err := os.Open(d.path(segmentsDir, segmentName(root)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, s.size)
	if _, err := f.ReadAt(data, s.off); err != nil {
		return nil, fmt.Errorf("block %x of %s: %v: %w", s.digest[:4], root, err, ErrDamaged)
	}
	if sha256.Sum256(data) != s.digest {
		return nil, fmt.Errorf("block %x of %s: hash differs: %w", s.digest[:4], root, ErrDamaged)
	}
	return data, nil
}
