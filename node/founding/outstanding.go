package founding

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// An invitation to a network that runs is good for InvitationLasts: so long it may be
// used, and so long whoever used it may wait to be admitted. One home has at most
// MaxOutstanding.
const (
	InvitationLasts = 7 * 24 * time.Hour
	MaxOutstanding  = 32
)

// Outstanding is an invitation to a network that runs, as the home of its inviter
// keeps it: in a file of its own, which `member invite` makes and the home's node
// alone changes. The node removes it when it lapses, or when who used it is a member.
type Outstanding struct {
	Token [16]byte
	Until time.Time
	// Applicant is who used it; nil as long as nobody did.
	Applicant *curation.Application

	path string
}

// outstanding is the JSON of an Outstanding.
type outstanding struct {
	Token       string          `json:"token"`
	Until       time.Time       `json:"until"`
	Application json.RawMessage `json:"application,omitempty"`
}

// Founded says whether the network of this home runs already, so that who joins it has
// to be admitted by its members.
func (p Plan) Founded() bool { return p.Document != nil || p.Admission != nil }

// Chain is the genesis hash of a network that is founded.
func (p Plan) Chain() (curation.Hash, error) {
	if p.Document == nil {
		return curation.Hash{}, home.ErrNoGenesis
	}
	genesis, err := p.Document.Genesis()
	if err != nil {
		return curation.Hash{}, err
	}
	return curation.GenesisHash(genesis), nil
}

// InviteToJoin makes an invitation to the network of a home, which runs; where the
// home's node is reached is what cfg says now.
func InviteToJoin(h home.Home, cfg config.Config, secrets keys.Secrets, now time.Time) (text string, until time.Time, err error) {
	plan, err := Read(h)
	if err != nil {
		return "", until, err
	}
	if a := plan.Admission; a != nil && !a.Admitted {
		return "", until, errors.New("this home waits to be admitted itself: its node must be a member's before it invites others")
	}
	chain, err := plan.Chain()
	if err != nil {
		return "", until, err
	}
	all, err := ReadOutstanding(h, chain)
	if err != nil {
		return "", until, err
	}
	open := 0
	for _, o := range all {
		if o.Until.After(now) {
			open++
		}
	}
	if open >= MaxOutstanding {
		return "", until, fmt.Errorf("%d invitations of this home are outstanding, the most that may be: each lapses after %d days, or remove files from %s", open, int(InvitationLasts.Hours()/24), h.Invitations())
	}
	inviter, err := self(cfg, secrets)
	if err != nil {
		return "", until, err
	}
	token, err := p2p.NewToken(rand.Reader)
	if err != nil {
		return "", until, err
	}
	text, err = p2p.Invitation{Kind: p2p.ToJoin, Network: plan.Document.Terms.Network, Hash: chain, Inviter: inviter, Token: token}.Encode()
	if err != nil {
		return "", until, err
	}
	if err := os.MkdirAll(h.Invitations(), 0o700); err != nil {
		return "", until, err
	}
	name := sha256.Sum256(token[:])
	o := Outstanding{Token: token, Until: now.Add(InvitationLasts).UTC().Truncate(time.Second), path: filepath.Join(h.Invitations(), hex.EncodeToString(name[:8])+".json")}
	return text, o.Until, o.save()
}

func (o Outstanding) save() error {
	s := outstanding{Token: hex.EncodeToString(o.Token[:]), Until: o.Until}
	if o.Applicant != nil {
		s.Application = EncodeApplication(*o.Applicant)
	}
	return home.Save(o.path, s)
}

// ReadOutstanding lists the invitations of a home to the network of a genesis hash,
// lapsed ones too. What is damaged is left out and told in the error.
func ReadOutstanding(h home.Home, chain curation.Hash) ([]Outstanding, error) {
	v := NewInvitations(h, chain)
	err := v.Look()
	return v.All(), err
}

// Invitations are the outstanding ones of a home, in memory. One goroutine at a time
// uses them.
type Invitations struct {
	home  home.Home
	chain curation.Hash
	files map[string]file
}

// file is one of an invitation, as it was read.
type file struct {
	info fs.FileInfo
	Outstanding
	err error // why it could not be read
}

// NewInvitations knows none until Look.
func NewInvitations(h home.Home, chain curation.Hash) *Invitations {
	return &Invitations{home: h, chain: chain, files: map[string]file{}}
}

// Look reads the files that are new or have changed since, and forgets those that are
// gone. The error names those that could not be read; when the folder could not, it
// knows what it knew before.
func (v *Invitations) Look() error {
	entries, err := os.ReadDir(v.home.Invitations())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	now := map[string]file{}
	var bad []error
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		f, ok := v.read(e)
		if !ok {
			continue
		}
		if f.err != nil {
			bad = append(bad, f.err)
		}
		now[e.Name()] = f
	}
	v.files = now
	return errors.Join(bad...)
}

// read gives the file of an entry, and false when it is gone. One that is the same as
// before is not opened, unless that failed: then it may go now.
func (v *Invitations) read(e fs.DirEntry) (f file, ok bool) {
	path := filepath.Join(v.home.Invitations(), e.Name())
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return f, false
	}
	if had, known := v.files[e.Name()]; known && err == nil && had.err == nil &&
		os.SameFile(had.info, info) && had.info.Size() == info.Size() && had.info.ModTime().Equal(info.ModTime()) {
		return had, true
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, false
	case err != nil:
		f.err = fmt.Errorf("%s cannot be read: %w", path, err)
		return f, true
	}
	if f.Outstanding, err = decodeOutstanding(b, v.chain); err != nil {
		f.err = fmt.Errorf("%s is damaged, remove it: %w", path, err)
		return f, true
	}
	f.info, f.path = info, path
	return f, true
}

// All lists those that could be read, in the order of their files.
func (v *Invitations) All() (all []Outstanding) {
	for _, name := range slices.Sorted(maps.Keys(v.files)) {
		if f := v.files[name]; f.err == nil {
			all = append(all, f.Outstanding)
		}
	}
	return all
}

func decodeOutstanding(b []byte, chain curation.Hash) (o Outstanding, err error) {
	var s outstanding
	if err := strictjson.Unmarshal(b, &s); err != nil {
		return o, err
	}
	raw, err := hex.DecodeString(s.Token)
	if err != nil || len(raw) != len(o.Token) {
		return o, errors.New("its token is not 32 hex digits")
	}
	o.Token, o.Until = [16]byte(raw), s.Until
	if s.Application != nil {
		a, err := DecodeApplication(s.Application, chain)
		if err != nil {
			return o, err
		}
		o.Applicant = &a
	}
	return o, nil
}

// Claim keeps who used the invitation.
func (o Outstanding) Claim(a curation.Application) (Outstanding, error) {
	o.Applicant = &a
	return o, o.save()
}

// Remove ends the invitation.
func (o Outstanding) Remove() error {
	if err := os.Remove(o.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
