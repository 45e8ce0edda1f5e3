package ledger

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// childEnv has the test binary run one validator and nothing else.
const childEnv = "ATELIER_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := child(spec); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		return
	}
	if runtime.GOMAXPROCS(0) < 4 { // they mostly wait for blocks
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// childSpec describes a validator in a process of its own.
type childSpec struct {
	Index   int
	Home    string
	Genesis []byte
	Addrs   []string // of all validators, with their peer ids
	Machine bool     // run the ledger's own state machine instead of the bank
}

// child runs a validator until its standard input ends. Each line there is a
// transaction in hex; each gets a line with its height and code.
func child(raw string) error {
	var spec childSpec
	if err := json.Unmarshal([]byte(raw), &spec); err != nil {
		return err
	}
	var infos []peer.AddrInfo
	members := map[peer.ID]bool{}
	for _, a := range spec.Addrs {
		info, err := peer.AddrInfoFromString(a)
		if err != nil {
			return err
		}
		infos = append(infos, *info)
		members[info.ID] = true
	}
	k, err := crypto.UnmarshalEd25519PrivateKey(seedKey('h', spec.Index))
	if err != nil {
		return err
	}
	h, err := libp2p.New(libp2p.Identity(k), libp2p.ListenAddrs(infos[spec.Index].Addrs...))
	if err != nil {
		return err
	}
	defer h.Close()
	var app Application = newBank()
	if spec.Machine {
		app = curation.NewMachine()
	}
	c := Config{
		Home:               spec.Home,
		Genesis:            spec.Genesis,
		Host:               h,
		App:                app,
		EmptyBlockInterval: time.Second,
		Allow:              func(p peer.ID) bool { return members[p] },
	}
	if os.Getenv("ATELIER_TEST_LOG") != "" {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", spec.Index)
	}
	e, err := New(c)
	if err != nil {
		return err
	}
	e.SetPeers(infos)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	var ran error
	wg.Go(func() { ran = e.Run(ctx) })
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		tx, err := hex.DecodeString(in.Text())
		if err != nil {
			return err
		}
		wg.Go(func() {
			r, err := e.Submit(ctx, tx)
			if err != nil && ctx.Err() == nil {
				fmt.Println("error:", err)
			} else if err == nil {
				fmt.Println("height", r.Height, "code", r.Result.Code)
			}
		})
	}
	cancel()
	wg.Wait()
	return errors.Join(ran, in.Err())
}

// process is a validator in a process of its own.
type childProcess struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  chan string
	done chan struct{}
}

func startChild(t testing.TB, spec childSpec) *childProcess {
	t.Helper()
	raw, err := json.Marshal(spec)
	require.NoError(t, err)
	p := &childProcess{cmd: exec.Command(os.Args[0]), out: make(chan string, 1024), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	p.cmd.Stderr = os.Stderr
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.out <- lines.Text()
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as a power cut would.
func (p *childProcess) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop ends the process as an operator would.
func (p *childProcess) stop(t testing.TB) {
	_ = p.in.Close()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("child does not stop")
	}
	require.True(t, p.cmd.ProcessState.Success(), "child: %v", p.cmd.ProcessState)
}

func (p *childProcess) submit(t testing.TB, tx []byte) {
	_, err := fmt.Fprintln(p.in, hex.EncodeToString(tx))
	require.NoError(t, err)
}

// final waits for the outcome of a submitted transaction.
func (p *childProcess) final(t testing.TB) {
	t.Helper()
	select {
	case line := <-p.out:
		require.True(t, strings.HasSuffix(line, fmt.Sprint("code ", curation.CodeOK)), line)
	case <-p.done:
		t.Fatal("child has ended")
	case <-time.After(patience):
		t.Fatal("not final")
	}
}

// freePorts are UDP ports that nobody uses, and that the system lends to nobody:
// those from 32768 on may be taken by another test until a process comes back to its own.
func freePorts(t testing.TB, n int) (out []int) {
	for len(out) < n {
		port := 10000 + rand.IntN(22768)
		c, err := net.ListenPacket("udp4", fmt.Sprint("127.0.0.1:", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		require.NoError(t, err)
		defer c.Close()
		out = append(out, port)
	}
	return out
}

// childAddrs are where n validators in processes of their own listen.
func childAddrs(t testing.TB, n int) (addrs []string) {
	for i, port := range freePorts(t, n) {
		k, err := crypto.UnmarshalEd25519PrivateKey(seedKey('h', i))
		require.NoError(t, err)
		id, err := peer.IDFromPrivateKey(k)
		require.NoError(t, err)
		a, err := ma.NewMultiaddr(fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1/p2p/%s", port, id))
		require.NoError(t, err)
		addrs = append(addrs, a.String())
	}
	return addrs
}

// A quorum that is lost to kill -9 comes back with those who were killed. This
// is what the boot ids are for: without them the chain never recovers, because
// the survivors go on talking to processes that are gone.
func TestTwoOfFourKilledComeBack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts six processes")
	}
	dir := t.TempDir()
	home := func(i int) string { return fmt.Sprintf("%s/%d", dir, i) }
	spec := childSpec{Genesis: genesisFor(t, home, 4), Addrs: childAddrs(t, 4)}
	start := func(i int) *childProcess {
		s := spec
		s.Index, s.Home = i, home(i)
		return startChild(t, s)
	}
	var nodes [4]*childProcess
	for i := range nodes {
		nodes[i] = start(i)
	}
	payments := 0
	pay := func(i int) []byte { // each from an account of its own, so that nonces do not race
		tx := transfer(seedKey('c', payments), 0, recipient(0), 1)
		payments++
		nodes[i].submit(t, tx)
		return tx
	}
	for i := range nodes { // all take part
		for range 4 {
			pay(i)
			nodes[i].final(t)
		}
	}
	var taken [4][]byte
	for i := range nodes { // on their way when two die
		taken[i] = pay(i)
	}
	nodes[2].kill()
	nodes[3].kill()
	nodes[2], nodes[3] = nil, nil
	pay(1)
	deadline := time.After(2 * time.Second) // nothing comes
	heard := 0
	for quiet := false; !quiet; {
		select {
		case <-nodes[0].out:
			heard++
		case <-nodes[1].out:
			heard++
		case <-deadline:
			quiet = true
		}
	}
	require.LessOrEqual(t, heard, 2, "final without a quorum")
	nodes[2], nodes[3] = start(2), start(3)
	returned := time.Now()
	for ; heard < 3; heard++ { // nothing that was waiting is lost
		select {
		case line := <-nodes[0].out:
			require.Contains(t, line, "code 0")
		case line := <-nodes[1].out:
			require.Contains(t, line, "code 0")
		case <-time.After(patience):
			t.Fatal("no finality after the return")
		}
	}
	t.Logf("what waited was final %v after the return", time.Since(returned).Round(10*time.Millisecond))
	for i := range 2 {
		pay(i)
		nodes[i].final(t)
	}
	for i := 2; i < 4; i++ { // what the dead had taken is offered again, and counts once
		nodes[i].submit(t, taken[i])
		nodes[i].final(t)
	}
	for _, n := range nodes {
		_ = n.in.Close()
	}
	for _, n := range nodes {
		n.stop(t)
	}
	// What they left behind agrees, up to where the first of them stopped.
	common, total := uint64(1<<63), uint64(0)
	var left []*history
	for i := range nodes {
		store, err := openDB(home(i)+"/data", "ledger")
		require.NoError(t, err)
		app := newBank()
		h, err := openHistory(store, app, spec.Genesis)
		require.NoError(t, err)
		defer h.close()
		left = append(left, h)
		common = min(common, h.tip.Height)
		total = max(total, app.balance(recipient(0)))
	}
	require.EqualValues(t, payments, total, "lost or doubled")
	want, err := left[0].block(common)
	require.NoError(t, err)
	for i, h := range left {
		got, err := h.block(common)
		require.NoError(t, err)
		require.Equal(t, want, got, "node %d", i)
	}
}

// Validators that were all stopped at different heights come back together, and
// so do two of four over connections that stay.
func TestStoppedAtDifferentHeights(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.startAll()
	net.awaitAll(net.nodes[0].pay(t, 0, recipient(0), 1).Height)
	net.nodes[3].stop()
	for i := range 10 {
		net.nodes[0].pay(t, uint64(1+i), recipient(0), 1)
	}
	for i := range 3 {
		net.nodes[2-i].stop()
	}
	for i := range net.nodes {
		net.start(i)
	}
	net.awaitAll(net.nodes[3].pay(t, 11, recipient(0), 1).Height)
	net.nodes[1].stop()
	net.nodes[2].stop()
	net.start(1)
	net.start(2)
	net.awaitAll(net.nodes[1].pay(t, 12, recipient(0), 1).Height)
	require.EqualValues(t, 13, net.nodes[2].app.balance(recipient(0)))
	net.stopAll()
}
