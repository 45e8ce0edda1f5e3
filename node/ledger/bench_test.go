package ledger

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// workload is an application under consensus, and transactions for it.
type workload struct {
	name    string
	genesis func(b *testing.B, net *testNet) []byte
	app     func() Application
	next    func(b *testing.B, net *testNet, account, i int) []byte
}

// workloads are the ledger's own state machine, and a bare key-value
// application on the same engine to hold it against.
var workloads = []workload{
	{
		name: "machine",
		genesis: func(b *testing.B, net *testNet) []byte {
			g := curation.Genesis{Charter: curation.Charter{Name: "bench", Text: "bench"}, Params: curation.DefaultParams()}
			for i := range net.nodes {
				k, err := ValidatorKey(net.home(i))
				require.NoError(b, err)
				g.Members = append(g.Members, curation.GenesisMember{
					Index:     uint32(i + 1),
					Name:      fmt.Sprintf("member %d", i+1),
					Account:   curation.AddressOf(seedKey('m', i).Public().(ed25519.PublicKey)),
					Validator: curation.Hash(k),
					DealKey:   dkg.DealKey([32]byte{byte(i + 1)}),
					Power:     1,
				})
			}
			for i := range 64 {
				g.Balances = append(g.Balances, curation.GenesisBalance{
					Account: curation.AddressOf(seedKey('c', i).Public().(ed25519.PublicKey)),
					Amount:  curve.Credits(1_000_000),
				})
			}
			g.SortBalances()
			doc, err := g.Bytes()
			require.NoError(b, err)
			return doc
		},
		app: func() Application { return curation.NewMachine() },
		next: func(b *testing.B, net *testNet, account, i int) []byte {
			tx, err := curation.Sign(seedKey('c', account), curation.GenesisHash(net.genesis), curation.Body{
				Nonce:      uint64(i),
				ValidUntil: 1 << 40,
				Payload:    curation.Send{To: curation.AddressOf(recipient(0)), Amount: curve.Credits(1)},
			})
			require.NoError(b, err)
			return tx
		},
	},
	{
		name:    "bare",
		genesis: func(b *testing.B, net *testNet) []byte { return genesisFor(b, net.home, len(net.nodes)) },
		app:     func() Application { return newBank() },
		next: func(_ *testing.B, _ *testNet, account, i int) []byte {
			return write(fmt.Sprintf("%d/%d", account, i), fmt.Sprintf("%0180d", i)) // as long as a transfer of the machine
		},
	},
}

// cpuTime is what this process has used of all processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func percentile(ds []time.Duration, p int) float64 {
	slices.Sort(ds)
	return float64(ds[(len(ds)-1)*p/100].Microseconds()) / 1000
}

// BenchmarkFinality measures, for one transaction at a time, how long it takes
// until it stands in a block that every node has committed; for 1 and 4
// validators in one process. 200 transactions: -benchtime 200x.
func BenchmarkFinality(b *testing.B) {
	for _, n := range []int{1, 4} {
		for _, w := range workloads {
			b.Run(fmt.Sprintf("n=%d/%s", n, w.name), func(b *testing.B) {
				net := foundNet(b, n)
				net.empty = 10 * time.Second
				net.genesis = w.genesis(b, net)
				started := time.Now()
				for i := range n {
					net.startWith(i, w.app())
				}
				for _, node := range net.nodes {
					node.awaitConsensus(b)
				}
				ready := time.Since(started)
				finality(b, net, w, 0)
				var all, here []time.Duration
				cpu := cpuTime(b)
				for i := 1; b.Loop(); i++ {
					h, a := finality(b, net, w, i)
					here, all = append(here, h), append(all, a)
				}
				b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/1000/float64(len(all)), "cpu-ms/tx")
				b.ReportMetric(percentile(here, 50), "p50-here-ms")
				b.ReportMetric(percentile(all, 50), "p50-ms")
				b.ReportMetric(percentile(all, 99), "p99-ms")
				b.ReportMetric(float64(ready.Milliseconds()), "start-ms")
				b.ReportMetric(0, "ns/op")
				net.stopAll()
			})
		}
	}
}

// finality submits the i-th transaction and tells when it was final at the node
// that took it, and at all.
func finality(b *testing.B, net *testNet, w workload, i int) (here, all time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tx := w.next(b, net, 0, i)
	at := time.Now()
	r, err := net.nodes[i%len(net.nodes)].Submit(ctx, tx)
	here = time.Since(at)
	require.NoError(b, err)
	require.Equal(b, curation.CodeOK, r.Result.Code, r.Result.Log)
	for _, n := range net.nodes {
		require.NoError(b, n.WaitHeight(ctx, r.Height))
	}
	return here, time.Since(at)
}

// BenchmarkFinalityFourProcesses is BenchmarkFinality with four validators in
// processes of their own; it is measured at the process that takes the transaction,
// pipe included.
func BenchmarkFinalityFourProcesses(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			net := &testNet{t: b, dir: b.TempDir(), nodes: make([]*testNode, 4)}
			net.genesis = w.genesis(b, net)
			spec := childSpec{Genesis: net.genesis, Addrs: childAddrs(b, 4), Machine: w.name == "machine"}
			var nodes []*childProcess
			for i := range 4 {
				s := spec
				s.Index, s.Home = i, net.home(i)
				nodes = append(nodes, startChild(b, s))
			}
			one := func(i int) time.Duration {
				at := time.Now()
				nodes[i%4].submit(b, w.next(b, net, 0, i))
				nodes[i%4].final(b)
				return time.Since(at)
			}
			one(0)
			var here []time.Duration
			for i := 1; b.Loop(); i++ {
				here = append(here, one(i))
			}
			b.ReportMetric(percentile(here, 50), "p50-here-ms")
			b.ReportMetric(percentile(here, 99), "p99-here-ms")
			b.ReportMetric(0, "ns/op")
			for _, p := range nodes {
				p.stop(b)
			}
		})
	}
}

// BenchmarkThroughput measures transactions per second while 64 accounts, over
// all nodes, each wait for one before they send the next, for 5 s.
func BenchmarkThroughput(b *testing.B) {
	for _, n := range []int{1, 4} {
		for _, w := range workloads {
			b.Run(fmt.Sprintf("n=%d/%s", n, w.name), func(b *testing.B) {
				net := foundNet(b, n)
				net.empty = 10 * time.Second
				net.genesis = w.genesis(b, net)
				for i := range n {
					net.startWith(i, w.app())
				}
				for _, node := range net.nodes {
					node.awaitConsensus(b)
				}
				for b.Loop() {
					ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
					var load sync.WaitGroup
					var done atomic.Int64
					began := time.Now()
					for account := range 64 {
						load.Go(func() {
							for i := 0; ctx.Err() == nil; i++ {
								if _, err := net.nodes[account%n].Submit(ctx, w.next(b, net, account, i)); err != nil {
									return
								}
								done.Add(1)
							}
						})
					}
					load.Wait()
					cancel()
					b.ReportMetric(float64(done.Load())/time.Since(began).Seconds(), "tx/s")
				}
				b.ReportMetric(0, "ns/op")
				net.stopAll()
			})
		}
	}
}
