package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Masked files are what trainers give to a training: noise to everybody, named by their
// SHA-256 on the ledger, and too long for it. Whoever gave one may be gone when others
// need it, so each trainer keeps all that it has checked until the training has ended.

// maxMasked bounds one of them.
const maxMasked = 4*secagg.MaxLength + 256

// maskedProtocol asks a trainer for a masked file by its SHA-256.
var maskedProtocol = p2p.Protocol{ID: "/atelier/masked/1", MaxRequest: sha256.Size, MaxResponse: maxMasked, Timeout: time.Minute, PerPeer: 2, Total: 8}

// masked keeps the files of the training that is under way, in a folder of the home.
type masked string

func (m masked) path(hash curation.Hash) string {
	return filepath.Join(string(m), hex.EncodeToString(hash[:]))
}

// keep makes a file durable.
func (m masked) keep(file []byte) error {
	if err := os.MkdirAll(string(m), 0o700); err != nil {
		return fmt.Errorf("keep masked file: %w", err)
	}
	if err := keys.WriteFile(m.path(sha256.Sum256(file)), file, 0o600); err != nil {
		return fmt.Errorf("keep masked file: %w", err)
	}
	return nil
}

// read returns the file of that hash; an error wraps fs.ErrNotExist when it is not here.
func (m masked) read(hash curation.Hash) ([]byte, error) {
	info, err := os.Stat(m.path(hash))
	if err != nil {
		return nil, fmt.Errorf("masked file: %w", err)
	}
	if info.Size() > maxMasked {
		return nil, fmt.Errorf("masked file %v has %d bytes, want at most %d: %w", hash, info.Size(), maxMasked, fs.ErrNotExist)
	}
	b, err := os.ReadFile(m.path(hash))
	if err == nil && sha256.Sum256(b) != hash {
		return nil, fmt.Errorf("masked file %v is damaged: %w", hash, fs.ErrNotExist)
	}
	return b, err
}

// forget removes all of them.
func (m masked) forget() error { return os.RemoveAll(string(m)) }

// answerMasked serves maskedProtocol.
func (n *Node) answerMasked(_ context.Context, from peer.ID, req []byte) ([]byte, error) {
	if len(req) != sha256.Size {
		return nil, p2p.Refuse(p2p.CodeMalformed, "want %d bytes, have %d", sha256.Size, len(req))
	}
	if !n.roster.Has(from) {
		return nil, p2p.Refuse(p2p.CodeRefused, "masked files are for members")
	}
	b, err := n.masked().read(curation.Hash(req))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, p2p.Refuse(p2p.CodeNotYet, "no such masked file here")
	}
	return b, err
}

func (n *Node) masked() masked { return masked(filepath.Join(n.home.Training(), "masked")) }

// fetchMasked performs a member.FetchMasked: a file that is here counts as long as it is
// what the ledger names.
func (a *actor) fetchMasked(ctx context.Context, f member.FetchMasked) {
	if file, err := a.n.masked().read(f.Hash); err == nil && f.Check(file) == nil {
		a.send(ctx, member.MaskedHeld{Number: f.Number, Member: f.Member})
		return
	}
	var last error
	for _, account := range f.From {
		id, err := peerOf(account)
		if err != nil || id == a.n.host.ID() {
			continue
		}
		file, err := p2p.Call(ctx, a.n.host, id, maskedProtocol, f.Hash[:])
		if err == nil {
			err = f.Check(file)
		}
		if err == nil {
			if err = a.n.masked().keep(file); err == nil {
				a.send(ctx, member.MaskedHeld{Number: f.Number, Member: f.Member})
				return
			}
		}
		if last = err; ctx.Err() != nil {
			return
		}
	}
	a.log.DebugContext(ctx, "masked file not fetched yet", "training", f.Number, "member", f.Member, "err", last)
}
