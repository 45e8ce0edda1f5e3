package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	db "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/blocksync"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/evidence"
	"github.com/cometbft/cometbft/lp2p"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"
	"github.com/libp2p/go-libp2p/core/peer"
)

// node is CometBFT put together for one run. CometBFT's own constructor makes a
// host of its own that nothing else can use; this one takes the node's.
type node struct {
	shelves   []*shelf
	blocks    *shelf // of shelves: the blocks with what their validators signed
	bus       *types.EventBus
	conns     proxy.AppConns
	pool      *mempool.CListMempool
	consensus *consensus.Reactor
	state     *consensus.State
	sw        *lp2p.Switch
	boot      *boot
	gate      *gate
	members   *members
	linger    time.Duration // how long goroutines of CometBFT may outlive its switch
}

// consensusConfig is CometBFT's configuration for a profile.
func consensusConfig(cfg Config) *cmtcfg.Config {
	c := cmtcfg.DefaultConfig()
	c.SetRoot(cfg.Home)
	c.DBBackend = string(db.GoLevelDBBackend)
	c.RPC.ListenAddress = ""
	c.Instrumentation.Prometheus = false
	c.Storage.DiscardABCIResponses = true
	c.TxIndex.Indexer = "null"
	c.BlockSync.AdaptiveSync = false // a validator that catches up this way may sign twice

	c.P2P.LibP2PConfig.Enabled = true
	c.P2P.LibP2PConfig.Limits.Mode = cmtcfg.LibP2PLimitsModeDisabled // the host's own manager limits
	c.P2P.ListenAddress = "tcp://127.0.0.1:0"
	// One worker keeps the transactions of a peer in order: an account's come by
	// sequential nonces, and checking is one at a time anyhow.
	c.P2P.LibP2PConfig.Scaler.Overrides = []cmtcfg.LibP2PScalerOverride{
		{Reactor: mempoolReactor, MinWorkers: 1, MaxWorkers: 1, ThresholdLatency: time.Second},
	}

	c.Mempool.Recheck = false // transactions expire by height
	c.Mempool.Size = 5000
	c.Mempool.MaxTxsBytes = 64 << 20
	c.Mempool.MaxTxBytes = MaxTxBytes
	c.Mempool.CacheSize = 20000

	k := c.Consensus
	k.CreateEmptyBlocks = false
	k.CreateEmptyBlocksInterval = cfg.EmptyBlockInterval
	if k.CreateEmptyBlocksInterval == 0 {
		k.CreateEmptyBlocksInterval = DefaultEmptyBlockInterval
	}
	k.DoubleSignCheckHeight = cfg.DoubleSignCheckHeight
	k.TimeoutPropose, k.TimeoutProposeDelta = 500*time.Millisecond, 250*time.Millisecond
	k.TimeoutPrevote, k.TimeoutPrevoteDelta = 100*time.Millisecond, 100*time.Millisecond
	k.TimeoutPrecommit, k.TimeoutPrecommitDelta = 100*time.Millisecond, 100*time.Millisecond
	k.TimeoutCommit, k.SkipTimeoutCommit = 0, true
	if cfg.BlockInterval > 0 {
		k.TimeoutCommit, k.SkipTimeoutCommit = cfg.BlockInterval, false
	}
	k.PeerGossipSleepDuration = 10 * time.Millisecond // the default of 100 makes finality 7 times slower
	k.PeerQueryMaj23SleepDuration = 500 * time.Millisecond
	if cfg.Profile == ProfileWAN {
		k.TimeoutPropose, k.TimeoutProposeDelta = 3*time.Second, 500*time.Millisecond
		k.TimeoutPrevote, k.TimeoutPrevoteDelta = time.Second, 500*time.Millisecond
		k.TimeoutPrecommit, k.TimeoutPrecommitDelta = time.Second, 500*time.Millisecond
		k.TimeoutCommit, k.SkipTimeoutCommit = max(time.Second, cfg.BlockInterval), false
		k.PeerGossipSleepDuration = 50 * time.Millisecond
		k.PeerQueryMaj23SleepDuration = time.Second
	}
	return c
}

const (
	mempoolReactor   = "MEMPOOL"
	consensusReactor = "CONSENSUS"
)

// assemble opens the stores, replays into the application what a crash kept
// from it, and puts the reactors together. It starts none of them.
func (e *Engine) assemble(ctx context.Context, m *machine) (n *node, err error) {
	n = &node{}
	defer func() {
		if r := recover(); r != nil { // CometBFT panics over stores that contradict each other
			err = fmt.Errorf("consensus does not start: %v", r)
		}
		if err != nil {
			n.dispose()
			n = nil
		}
	}()
	cfg, logger := consensusConfig(e.cfg), engineLog{e.log}
	n.linger = cfg.Consensus.PeerQueryMaj23SleepDuration + 100*time.Millisecond
	blockDB, err := n.open(e.cfg.Home, "blockstore")
	if err != nil {
		return n, err
	}
	stateDB, err := n.open(e.cfg.Home, "state")
	if err != nil {
		return n, err
	}
	evidenceDB, err := n.open(e.cfg.Home, "evidence")
	if err != nil {
		return n, err
	}
	n.blocks = n.shelves[0]
	blocks := store.NewBlockStore(blockDB)
	states := state.NewStore(stateDB, state.StoreOptions{DiscardABCIResponses: true})
	genesis, err := genesisDoc(e.cfg.Genesis, e.history.origin.Validators)
	if err != nil {
		return n, err
	}
	st, err := states.LoadFromDBOrGenesisDoc(genesis)
	if err != nil {
		return n, fmt.Errorf("consensus state: %w", err)
	}
	if st.ChainID != genesis.ChainID {
		return n, fmt.Errorf("chain %q, home holds %q: %w", genesis.ChainID, st.ChainID, ErrGenesis)
	}

	n.conns = proxy.NewAppConns(proxy.NewConnSyncLocalClientCreator(m), proxy.NopMetrics())
	n.conns.SetLogger(logger)
	if err := n.conns.Start(); err != nil {
		return n, fmt.Errorf("application: %w", err)
	}
	n.bus = types.NewEventBus()
	n.bus.SetLogger(logger)
	if err := n.bus.Start(); err != nil {
		return n, fmt.Errorf("event bus: %w", err)
	}
	replay := consensus.NewHandshaker(states, st, blocks, genesis)
	replay.SetLogger(logger)
	replay.SetEventBus(n.bus)
	if err := replay.HandshakeWithContext(ctx, n.conns); err != nil {
		return n, fmt.Errorf("replay: %w", err)
	}
	if st, err = states.Load(); err != nil {
		return n, fmt.Errorf("consensus state: %w", err)
	}

	pub := e.validator.Key.PubKey
	alone := st.Validators.Size() == 1 && st.Validators.HasAddress(pub.Address())
	own := pub.Address() // who has a third of all power does not wait for blocks of others
	if e.signer == nil && !e.cfg.SignUnrecorded && e.acquainted() {
		alone, own = false, nil // it signs none of them, whatever its old ledger says of its power
	}
	n.pool = mempool.NewCListMempool(cfg.Mempool, n.conns.Mempool(), st.LastBlockHeight,
		mempool.WithPreCheck(state.TxPreCheck(st)), mempool.WithPostCheck(state.TxPostCheck(st)))
	n.pool.EnableTxsAvailable()
	pool := mempool.NewReactor(cfg.Mempool, n.pool, !alone)
	evidencePool, err := evidence.NewPool(evidenceDB, states, blocks)
	if err != nil {
		return n, fmt.Errorf("evidence pool: %w", err)
	}
	evidencePool.SetLogger(logger)
	executor := state.NewBlockExecutor(states, logger, n.conns.Consensus(), n.pool, evidencePool, blocks)
	sync := blocksync.NewReactor(!alone, false, st.Copy(), executor, blocks, own, 0, blocksync.NopMetrics())
	n.state = consensus.NewState(cfg.Consensus, st.Copy(), executor, blocks, n.pool, evidencePool)
	n.state.SetLogger(logger)
	if e.signer != nil {
		// Consensus may ask for a vote while its queue is full, so it is not kept waiting.
		e.signer.former.give = func(v *types.Vote) { go func() { _, _ = n.state.AddVote(v, "") }() }
		n.state.SetPrivValidator(e.signer)
	}
	n.consensus = consensus.NewReactor(n.state, !alone)
	n.consensus.SetEventBus(n.bus)
	snapshots := statesync.NewReactor(*cfg.StateSync, n.conns.Snapshot(), n.conns.Query(), statesync.NopMetrics())
	queued := newBacklog()
	reactors := []lp2p.SwitchReactor{
		{Name: mempoolReactor, Reactor: countedMempool{pool, queued}},
		{Name: "BLOCKSYNC", Reactor: countedBlocksync{sync, queued, newReports()}},
		{Name: consensusReactor, Reactor: countedConsensus{n.consensus, queued, e.signer}},
		{Name: "EVIDENCE", Reactor: countedEvidence{evidence.NewReactor(evidencePool), queued}},
		{Name: "STATESYNC", Reactor: countedStatesync{snapshots, queued}},
	}
	for _, r := range reactors {
		r.SetLogger(logger)
	}
	if n.boot, err = newBoot(e.cfg.Host, e.history.origin.Genesis, e.allow, e.log); err != nil {
		return n, err
	}
	n.gate = newGate(e.cfg.Host, e.allow, n.boot.settle, queued, e.log)
	host, err := transportHost(cfg.P2P, n.gate, logger)
	if err != nil {
		return n, err
	}
	info := p2p.DefaultNodeInfo{
		ProtocolVersion: p2p.NewProtocolVersion(version.P2PProtocol, st.Version.Consensus.Block, st.Version.Consensus.App),
		DefaultNodeID:   key(e.cfg.Host.ID()),
		Network:         genesis.ChainID,
		Version:         version.TMCoreSemVer,
	}
	if n.sw, err = lp2p.NewSwitch(info, host, reactors, p2p.NopMetrics(), logger); err != nil {
		return n, fmt.Errorf("switch: %w", err)
	}
	n.members = newMembers(e.cfg.Host, n.sw.Peers().(*lp2p.PeerSet), reactors, n.boot, e.log)
	n.boot.reset = func(p peer.ID) { n.members.drop(p, "restarted") }
	n.boot.ready = n.members.wake
	return n, nil
}

// transportHost wraps our host for CometBFT. Its Host has private fields that
// only NewHost fills, and NewHost makes a libp2p host; that one is closed and
// ours takes its place in the embedded field.
func transportHost(cfg *cmtcfg.P2PConfig, g *gate, logger engineLog) (*lp2p.Host, error) {
	h, err := lp2p.NewHost(cfg, cmted25519.GenPrivKey(), logger)
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if err := h.Host.Close(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	h.Host = g
	return h, nil
}

func (n *node) open(home, name string) (db.DB, error) {
	d, err := openDB(filepath.Join(home, "data"), name)
	if err != nil {
		return nil, err
	}
	s := newShelf(d)
	n.shelves = append(n.shelves, s)
	return s, nil
}
