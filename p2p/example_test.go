package p2p_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/p2p"
)

// Two members, who let nobody else in; one asks the other for a work.
func Example() {
	work := p2p.Protocol{ID: "/example/work/1", MaxRequest: 64, MaxResponse: 1 << 10, Timeout: time.Minute}
	members := p2p.NewRoster()
	start := func() *p2p.Host {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			panic(err)
		}
		c := p2p.Default()
		c.Key, c.Allow = key, members.Has
		h, err := p2p.New(c)
		if err != nil {
			panic(err)
		}
		members.Add(h.ID())
		return h
	}
	ada, bo := start(), start()
	defer ada.Close()
	defer bo.Close()

	service := p2p.Handle(ada, work, func(_ context.Context, _ peer.ID, name []byte) ([]byte, error) {
		if string(name) != "dusk" {
			return nil, p2p.Refuse(p2p.CodeNotFound, "no work named %q", name)
		}
		return []byte("a picture of dusk"), nil
	}, nil)
	defer service.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := bo.Connect(ctx, ada.AddrInfo()); err != nil {
		panic(err)
	}
	for _, name := range []string{"dusk", "dawn"} {
		answer, err := p2p.Call(ctx, bo, ada.ID(), work, []byte(name))
		fmt.Printf("%s: %q, %s\n", name, answer, p2p.CodeOf(err))
	}
	// Output:
	// dusk: "a picture of dusk", none
	// dawn: "", not found
}
