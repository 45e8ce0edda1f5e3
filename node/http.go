package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/net/netutil"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/storage"
)

const (
	// maxHTTP is how many connections the HTTP interface has at a time; more wait. Whoever
	// holds them all keeps others from its pages, and the node from nothing else.
	maxHTTP = 1024
	// headTime is for a client to send the head of a request: a machine may stand still
	// meanwhile. idleTime is how long a connection waits for its next request, longer than
	// api.Client keeps one.
	headTime = time.Minute
	idleTime = 45 * time.Second
)

// listenHTTP takes the address of the HTTP interface and returns what serves it
// until its context ends.
func (n *Node) listenHTTP() (func(context.Context) error, error) {
	l, err := net.Listen("tcp", n.cfg.API.Listen)
	if err != nil {
		return nil, fmt.Errorf("the HTTP interface cannot listen on %s: choose another address with api.listen in config.toml or ATELIER_API_LISTEN: %w", n.cfg.API.Listen, err)
	}
	n.apiAddress = l.Addr().String()
	handler, err := api.New(n, api.Options{Hosts: n.cfg.API.Hosts, Token: n.token, Logger: n.log.With("component", "api")})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := n.home.WriteRuntime(n.apiAddress, n.token); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return func(ctx context.Context) error { return serveHTTP(ctx, l, maxHTTP, handler, n.home.RemoveRuntime) }, nil
}

// serveHTTP answers on at most so many connections of l at a time until ctx ends, and
// calls leave before it stops.
func serveHTTP(ctx context.Context, l net.Listener, most int, h http.Handler, leave func()) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: headTime, IdleTimeout: idleTime, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		leave()
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if s.Shutdown(grace) != nil {
			_ = s.Close()
		}
	}()
	if err := s.Serve(netutil.LimitListener(l, most)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

// APIAddress is the host:port of the HTTP interface, once Ready is closed.
func (n *Node) APIAddress() string { return n.apiAddress }

// View reads the committed state.
func (n *Node) View(read func(curation.View) error) error { return n.machine.View(read) }

// Ledger is the agreed order of transactions.
func (n *Node) Ledger() ledger.Ledger { return n.engine }

// Store is what this node keeps.
func (n *Node) Store() *storage.Store { return n.store }

// Secrets are those of the home; a caller that can open the home has them anyway.
func (n *Node) Account() curation.Address { return n.secrets.Account() }

// SealModel implements api.Backend; see MakeModel.
func (n *Node) SealModel(ctx context.Context, o api.SealOptions, progress func(api.SealProgress)) (curation.Model, error) {
	return n.MakeModel(ctx, Sealing{
		Name: o.Name, Steps: o.Steps, Weights: o.Weights,
		Phase:    func(s string) { progress(api.SealProgress{Phase: s}) },
		Progress: func(step, steps int, loss float64) { progress(api.SealProgress{Step: step, Steps: steps, Loss: loss}) },
	})
}

// Fetch implements api.Backend.
func (n *Node) Fetch(ctx context.Context, root cid.Cid, from curation.Address, method storage.Method) (storage.FetchReport, error) {
	var ids []peer.ID
	if from != (curation.Address{}) {
		id, err := peerOf(from)
		if err != nil {
			return storage.FetchReport{}, err
		}
		ids = append(ids, id)
	} else {
		for _, id := range n.roster.List() {
			if id != n.host.ID() {
				ids = append(ids, id)
			}
		}
	}
	if method == "" {
		return n.exchange.Fetch(ctx, root, ids)
	}
	var last error
	for _, id := range ids {
		r, err := n.exchange.FetchVia(ctx, root, id, method)
		if err == nil {
			return r, nil
		}
		last = err
	}
	return storage.FetchReport{}, fmt.Errorf("no member gives %v by %s: %w", root, method, last)
}

// Info implements api.Backend. It may be called while the state is read.
func (n *Node) Info() api.Info {
	i := api.Info{Name: n.plan.Name, Account: n.secrets.Account(), Peer: n.host.ID().String(),
		Version: Version(), Started: n.started, HasShare: n.holder.Load() != nil, Departed: n.departed.Load() != nil}
	for _, m := range *n.members.Load() {
		id, err := peerOf(m.Account)
		switch {
		case m.Account == i.Account:
			i.Name, i.Member = m.Name, m.Index
			continue
		case err != nil || m.Standing == curation.StandingLeft:
			continue
		}
		p := api.Peer{Member: m.Index, Peer: id.String(), Connected: n.pulse.online(id), Proves: n.pulse.proves(id)}
		for _, c := range n.host.Network().ConnsToPeer(id) {
			p.Addresses = append(p.Addresses, c.RemoteMultiaddr().String())
		}
		i.Peers = append(i.Peers, p)
	}
	return i
}
