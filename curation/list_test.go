package curation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

// requireLists holds every list, whole and by pages of several sizes, against one
// that is made the slow way.
func (w *world) requireLists() {
	all := view(w, func(v View) []Artwork { return v.ArtworksNamed("", 1<<30) })
	slices.SortFunc(all, func(a, b Artwork) int {
		if a.Requested != b.Requested {
			return int(a.Requested) - int(b.Requested)
		}
		return a.Position - b.Position
	})
	who := []*Address{nil}
	for _, name := range collectors[:2] {
		a := addressOf(name)
		who = append(who, &a)
	}
	for _, statuses := range [][]Status{nil, {StatusPublished}, {StatusExpired, StatusRequested, StatusExpired}, Statuses[2:6], {"unknown"}} {
		for _, requester := range who {
			for round := range uint64(3) {
				for _, newest := range []bool{false, true} {
					f := Filter{Status: statuses, Requester: requester, Round: round, Newest: newest}
					var want []Hash
					for _, a := range all {
						if (len(statuses) == 0 || slices.Contains(statuses, a.Status)) && (requester == nil || *requester == a.Requester) && (round == 0 || round == a.Round) {
							want = append(want, a.RID)
						}
					}
					if newest {
						slices.Reverse(want)
					}
					for _, limit := range []int{0, 1, 3} {
						f.Limit = limit
						require.Equal(w.t, want, w.pages(f), "%+v", f)
					}
				}
			}
		}
	}
}

// pages reads a list page by page.
func (w *world) pages(f Filter) (rids []Hash) {
	for {
		page := view(w, func(v View) []Artwork { return v.Artworks(f) })
		for _, a := range page {
			rids = append(rids, a.RID)
		}
		if f.Limit == 0 || len(page) < f.Limit {
			return rids
		}
		f.After = page[len(page)-1].RID
	}
}

func TestListsAreThatOfASortedLedger(t *testing.T) {
	w := ready(t)
	for i, name := range []string{"alice", "bob", "alice", "carol", "bob"} {
		if i%2 == 0 {
			w.candidate(name, fmt.Sprint(i))
		} else {
			w.requested(name, fmt.Sprint(i))
		}
	}
	w.requireLists()
	w.wait(50) // the round is over, the requests have expired
	require.NotEmpty(t, view(w, func(v View) []Artwork { return v.Artworks(Filter{Status: []Status{StatusExpired}}) }))
	require.NotEmpty(t, view(w, func(v View) []Artwork { return v.Artworks(Filter{Round: 1}) }))
	w.requireLists()
}

func TestAPageGoesOnWhereTheOneBeforeEndedWhateverHappens(t *testing.T) {
	w := ready(t)
	r1, r2, r3 := w.requested("alice", "one"), w.requested("bob", "two"), w.requested("carol", "three")
	page := func(f Filter) (rids []Hash) {
		for _, a := range view(w, func(v View) []Artwork { return v.Artworks(f) }) {
			rids = append(rids, a.RID)
		}
		return rids
	}
	waiting := []Status{StatusRequested}
	require.Equal(t, []Hash{r3}, page(Filter{Status: waiting, Newest: true, Limit: 1}))
	w.must("m1", w.certificateFor(r3, 1, 2, 3)) // it leaves the list
	w.requested("dave", "four")                 // a newer one comes
	require.Equal(t, []Hash{r2}, page(Filter{Status: waiting, Newest: true, Limit: 1, After: r3}))
	require.Equal(t, []Hash{r1}, page(Filter{Status: waiting, Newest: true, Limit: 1, After: r2}))
	require.Empty(t, page(Filter{Status: waiting, Newest: true, Limit: 1, After: r1}))
	require.Empty(t, page(Filter{After: Hash{9}}), "behind what there never was is nothing")
}

func TestArtworksAreFoundByTheFirstDigitsOfTheirNames(t *testing.T) {
	w := ready(t)
	rid := w.requested("alice", "one")
	w.requested("bob", "two")
	named := func(digits string, limit int) int {
		return len(view(w, func(v View) []Artwork { return v.ArtworksNamed(digits, limit) }))
	}
	for n := 8; n <= 64; n++ {
		require.Equal(t, 1, named(rid.String()[:n], 2), n)
	}
	require.Equal(t, 2, named("", 5))
	require.Equal(t, 1, named("", 1))
	require.Zero(t, named("no hex", 2))
	require.Zero(t, named("not", 2))
	require.Zero(t, named("00000000", 2))
}

// crowded is a machine whose ledger holds n artworks: of ten one is published, one
// was declined, seven have expired, and one is still asked for.
func crowded(t testing.TB, n int) *Machine {
	t.Helper()
	doc, err := testGenesis(4, testParams()).Bytes()
	require.NoError(t, err)
	m := NewMachine()
	_, err = m.Genesis(doc)
	require.NoError(t, err)
	x := m.begin(1)
	for i := range n {
		status := StatusExpired
		switch i % 10 {
		case 0:
			status = StatusPublished
		case 5:
			status = StatusDeclined
		case 9:
			status = StatusRequested
		}
		x.saveArtwork(Artwork{Opening: Opening{RID: hash("crowd", number(uint64(i))), Requested: uint64(i / 8), Position: i % 8},
			Status: status, Requester: addressOf(collectors[i%4]), Prompt: fmt.Sprintf("wish %d", i), Deposit: curve.Credits(100)})
	}
	m.store.Apply(m.store.Stage(x.st.Changes()))
	return m
}

// wallPage reads a page of the wall: the 24 pictures behind one in the middle.
func wallPage(m *Machine, middle Hash) (got int) {
	_ = m.View(func(v View) error {
		got = len(v.Artworks(Filter{Status: []Status{StatusPublished, StatusDeclined, StatusExpired}, Newest: true, After: middle, Limit: 24}))
		return nil
	})
	return got
}

func middleOf(n int) Hash { return hash("crowd", number(uint64(n/2))) }

func TestAPageDoesAsMuchWorkAmongManyAsAmongFew(t *testing.T) {
	work := func(n int) float64 {
		m := crowded(t, n)
		require.Equal(t, 24, wallPage(m, middleOf(n)))
		return testing.AllocsPerRun(20, func() { wallPage(m, middleOf(n)) })
	}
	few, many := work(200), work(20_000)
	require.LessOrEqual(t, many, few*1.05, "allocations, of which every record that is read takes some")
}

// BenchmarkPage is a page of 24 artworks from the middle of the wall. The last line
// also has its ratio to the first.
func BenchmarkPage(b *testing.B) {
	perPage := map[int]float64{}
	for _, n := range []int{100, 100_000} { // a young network, and one of many years
		m := crowded(b, n)
		b.Run(fmt.Sprintf("artworks=%d", n), func(b *testing.B) {
			for b.Loop() {
				wallPage(m, middleOf(n))
			}
			perPage[n] = b.Elapsed().Seconds() / float64(b.N)
			if n > 100 && perPage[100] > 0 {
				b.ReportMetric(perPage[n]/perPage[100], "×100-artworks")
			}
		})
	}
}
