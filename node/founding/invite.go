package founding

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Invite returns the invitation for the next seat that has none yet.
func Invite(h home.Home, cfg config.Config, secrets keys.Secrets) (text string, seat int, err error) {
	return InviteTo(h, cfg, secrets, 0)
}

// InviteTo returns the invitation for a seat, from 2, that has one already; where the
// founder is reached is what cfg says now. Seat 0 is the next one that has none.
func InviteTo(h home.Home, cfg config.Config, secrets keys.Secrets, seat int) (text string, _ int, err error) {
	plan, err := Read(h)
	if err != nil {
		return "", 0, err
	}
	switch {
	case plan.Founded():
		return "", 0, errors.New("every seat of the founding is taken: who joins now is admitted by the members")
	case plan.Terms == nil:
		return "", 0, errors.New("this home waits for its network to be founded: until then its founder makes the invitations")
	}
	handed, err := readHanded(h)
	if err != nil {
		return "", 0, err
	}
	next := handed + 2 // the founder has seat 1
	switch {
	case len(plan.Tokens) == 0:
		return "", 0, errors.New("this is a network of one member: found one of more with `atelier network create --members N`, or start its node, and invite others then")
	case seat == 0 && next > len(plan.Tokens)+1:
		return "", 0, fmt.Errorf("every invitation of this network is given out, the last for seat %d: print one again with `atelier member invite --seat N`", next-1)
	case seat != 0 && (seat < 2 || seat >= next):
		return "", 0, fmt.Errorf("seat %d has no invitation yet: print the next one with `atelier member invite`", seat)
	case seat == 0:
		seat = next
	}
	raw, err := hex.DecodeString(plan.Tokens[seat-2])
	if err != nil || len(raw) != len(p2p.Token{}) {
		return "", 0, fmt.Errorf("%s holds a damaged token", h.Founding())
	}
	charter, err := plan.Terms.Hash()
	if err != nil {
		return "", 0, err
	}
	founder, err := self(cfg, secrets)
	if err != nil {
		return "", 0, err
	}
	text, err = p2p.Invitation{Network: plan.Terms.Network, Hash: charter, Inviter: founder, Token: p2p.Token(raw)}.Encode()
	if err != nil {
		return "", 0, err
	}
	return text, seat, home.Save(h.Invited(), max(handed, seat-1))
}

// readHanded is the number of invitations that were printed.
func readHanded(h home.Home) (n int, err error) {
	b, err := os.ReadFile(h.Invited())
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	if err := strictjson.Unmarshal(b, &n); err != nil || n < 0 {
		return 0, fmt.Errorf("%s is damaged: %w", h.Invited(), err)
	}
	return n, nil
}

// self is this home as others reach it.
func self(cfg config.Config, secrets keys.Secrets) (peer.AddrInfo, error) {
	id, err := identity(secrets)
	if err != nil {
		return peer.AddrInfo{}, err
	}
	info := peer.AddrInfo{ID: id}
	addrs, err := reachable(cfg)
	if err != nil {
		return info, err
	}
	for _, s := range addrs {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return info, err
		}
		info.Addrs = append(info.Addrs, a)
	}
	return info, nil
}
