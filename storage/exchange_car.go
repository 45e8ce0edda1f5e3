package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// ProtocolCAR is the stream protocol that hands out whole DAGs, one a stream.
//
//	request   length u8 (at most 64), the root's CID
//	response  status u8; when it is 0 also the CAR's length u64 (big endian) and
//	          the CAR as ExportCAR writes it
//
// Both sides then close. A stream that ends early is an error.
const ProtocolCAR protocol.ID = "/atelier/car/1"

const (
	statusOK = iota
	statusNotFound
	statusRefused
	statusBusy
	statusMalformed
)

const (
	maxRequest     = 64 // bytes of a CID in a request
	maxServing     = 32 // streams served at once
	maxServingPeer = 8  // of them to one peer
	maxFetching    = 4  // streams that we fetch from at once, well below a peer's limit
	// minRate is how slow a whole stream may be, in bytes a second, beyond what is
	// granted to each: what keeps a peer from holding a stream open forever.
	minRate = 32 << 10
	granted = 30 * time.Second // or the patience, where that is longer
)

// handle serves one stream.
func (x *Exchange) handle(st network.Stream) {
	p := st.Conn().RemotePeer()
	started, free := x.begin(p)
	if !started {
		st.Reset()
		return
	}
	defer x.end(p, free)
	defer context.AfterFunc(x.ctx, func() { st.Reset() })()
	st.SetDeadline(time.Now().Add(x.opts.Patience))
	if err := x.serve(st, p, free); err != nil {
		st.Reset()
		return
	}
	st.Close()
}

// begin counts a stream in. free is false when there is no more room, so that
// the peer is told; started is false after Close.
func (x *Exchange) begin(p peer.ID) (started, free bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return false, false
	}
	x.wg.Add(1)
	if x.streams >= maxServing || x.serving[p] >= maxServingPeer {
		return true, false
	}
	x.streams++
	x.serving[p]++
	return true, true
}

func (x *Exchange) end(p peer.ID, counted bool) {
	defer x.wg.Done()
	if !counted {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.streams--
	if x.serving[p]--; x.serving[p] == 0 {
		delete(x.serving, p)
	}
}

// serve answers one request. Its error is for nobody but handle: the peer sees a
// status, or a stream that ends early.
func (x *Exchange) serve(st network.Stream, p peer.ID, free bool) error {
	if err := st.Scope().SetService("atelier.car"); err != nil {
		return err
	}
	root, err := readRequest(st)
	status := func(b byte) error {
		_, err := st.Write([]byte{b})
		return err
	}
	switch {
	case err != nil:
		return status(statusMalformed)
	case !free:
		return status(statusBusy)
	case !x.store.Has(root):
		return status(statusNotFound)
	case !x.allowed(p, root):
		return status(statusRefused)
	}
	order, err := x.store.plan(root)
	if errors.Is(err, ErrNotFound) { // collected since
		return status(statusNotFound)
	}
	if err != nil {
		return err
	}
	size, err := x.store.carSize(root, order)
	if err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint64([]byte{statusOK}, uint64(size))
	w := &paced{st: st, patience: x.opts.Patience, until: time.Now().Add(x.allowance(size))}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = writeCAR(x.ctx, w, root, order, x.store.get, nil)
	return err
}

// carSize returns the length of the CAR that writeCAR makes of a plan.
func (s *Store) carSize(root cid.Cid, order []cid.Cid) (int64, error) {
	size := int64(len(carHeader(root)))
	for _, c := range order {
		d, err := parse(c)
		if err != nil {
			return 0, err
		}
		p, err := s.find(d)
		if err != nil {
			return 0, err
		}
		n := int(p.seg.spans[p.i].size)
		size += int64(len(sectionHeader(c, n)) + n)
	}
	return size, nil
}

// readRequest reads a root that a store can hold.
func readRequest(r io.Reader) (cid.Cid, error) {
	var n [1]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return cid.Undef, err
	}
	if n[0] == 0 || n[0] > maxRequest {
		return cid.Undef, fmt.Errorf("request of %d bytes: %w", n[0], ErrInvalid)
	}
	raw := make([]byte, n[0])
	if _, err := io.ReadFull(r, raw); err != nil {
		return cid.Undef, err
	}
	c, err := cid.Cast(raw)
	if err != nil {
		return cid.Undef, fmt.Errorf("request: %v: %w", err, ErrInvalid)
	}
	return normal(c)
}

// readResponse reads what comes before the CAR, and returns the CAR's length.
func readResponse(r io.Reader) (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return 0, fmt.Errorf("no answer: %w", err)
	}
	switch b[0] {
	case statusOK:
	case statusNotFound:
		return 0, fmt.Errorf("the peer does not have it: %w", ErrNotFound)
	case statusRefused:
		return 0, ErrRefused
	case statusBusy:
		return 0, ErrBusy
	default:
		return 0, fmt.Errorf("status %d: %w", b[0], ErrInvalid)
	}
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("answer: %w", err)
	}
	n := binary.BigEndian.Uint64(b[:])
	if n > 1<<62 {
		return 0, fmt.Errorf("a CAR of %d bytes: %w", n, ErrInvalid)
	}
	return int64(n), nil
}

func (x *Exchange) fetchCAR(ctx context.Context, root cid.Cid, p peer.ID) (Size, error) {
	select {
	case x.fetching <- struct{}{}:
		defer func() { <-x.fetching }()
	case <-ctx.Done():
		return Size{}, ctx.Err()
	}
	dial, cancel := context.WithTimeout(ctx, x.opts.Patience)
	defer cancel()
	st, err := x.host.NewStream(dial, p, ProtocolCAR)
	if err != nil {
		return Size{}, err
	}
	defer st.Reset() // does nothing to a stream that has ended
	defer context.AfterFunc(ctx, func() { st.Reset() })()
	if err := st.Scope().SetService("atelier.car"); err != nil {
		return Size{}, err
	}
	r := &paced{st: st, patience: x.opts.Patience, until: time.Now().Add(x.allowance(0))}
	raw := root.Bytes()
	if _, err := r.Write(append([]byte{byte(len(raw))}, raw...)); err != nil {
		return Size{}, err
	}
	if err := st.CloseWrite(); err != nil {
		return Size{}, err
	}
	n, err := readResponse(r)
	if err != nil {
		return Size{}, err
	}
	if n > x.opts.MaxBytes {
		return Size{}, fmt.Errorf("%d bytes, limit %d: %w", n, x.opts.MaxBytes, ErrTooLarge)
	}
	r.until = time.Now().Add(x.allowance(n))
	return x.store.importCAR(ctx, root, &exactly{r: r, left: n}, n)
}

// allowance is how long a stream of n bytes may take in all.
func (x *Exchange) allowance(n int64) time.Duration {
	return max(granted, x.opts.Patience) + time.Duration(n/minRate)*time.Second
}

// paced moves the stream's deadline with its progress: every 64 KiB within
// patience, and everything before until.
type paced struct {
	st       network.Stream
	patience time.Duration
	until    time.Time

	due time.Time // of the window that is being read
	got int       // bytes of it
}

// window is how much must arrive within patience.
const window = 64 << 10

func (p *paced) deadline() time.Time {
	if d := time.Now().Add(p.patience); d.Before(p.until) {
		return d
	}
	return p.until
}

func (p *paced) Read(b []byte) (int, error) {
	if p.due.IsZero() || p.got >= window { // a byte now and then is not progress
		p.due, p.got = p.deadline(), 0
	}
	if err := p.st.SetReadDeadline(p.due); err != nil {
		return 0, err
	}
	n, err := p.st.Read(b)
	p.got += n
	return n, err
}

func (p *paced) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		if err := p.st.SetWriteDeadline(p.deadline()); err != nil {
			return done, err
		}
		n, err := p.st.Write(b[done:min(len(b), done+64<<10)])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// exactly reads the announced bytes; an earlier end is an error, and what would
// come later is not read.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	if int64(len(b)) > e.left {
		b = b[:e.left]
	}
	n, err := e.r.Read(b)
	if e.left -= int64(n); e.left > 0 && err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
