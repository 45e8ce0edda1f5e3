//go:build unix

package oracle

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sizes are the committees measured: the smallest sensible one, the default, and
// three large ones, of which the last is the limit.
var sizes = []int{5, 16, 64, 128, 256}

// ours is the name of the contender that the others are compared with.
const ours = "atelier"

// clock adds up the CPU time of this process, its garbage collector included, while it
// runs. On a shared machine that is steadier than time on the wall.
type clock struct{ spent, since time.Duration }

func (c *clock) start() { c.since = cpu() }
func (c *clock) stop()  { c.spent += cpu() - c.since }

// timed runs f on the clock.
func (c *clock) timed(f func() error) error {
	c.start()
	defer c.stop()
	return f()
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF is always there
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// contender does the job once. What it prepares it leaves off the clock.
type contender struct {
	name string
	run  func(c *clock) error
}

// quick is a contender whose job needs no preparation.
func quick(name string, job func() error) contender {
	return contender{name, func(c *clock) error { return c.timed(job) }}
}

// A round runs every contender for so long, or so often. There are so many rounds, fewer
// when they take long.
const (
	enough  = 15 * time.Millisecond
	repeats = 50
	rounds  = 9
	patient = time.Second
)

// compare measures the contenders in turns, so that all meet the same machine, and
// reports the least CPU time of each per job.
func compare(b *testing.B, job string, n int, contenders ...contender) {
	b.Run(job, func(b *testing.B) {
		best := make([]time.Duration, len(contenders))
		for b.Loop() {
			begun := cpu()
			for round := 0; round < rounds && (round == 0 || cpu()-begun < patient); round++ {
				for i, con := range contenders {
					total := time.Duration(0)
					for k := 0; k < repeats && total < enough; k++ {
						var c clock
						if err := con.run(&c); err != nil {
							b.Fatalf("%s: %v", con.name, err)
						}
						total += c.spent
						if best[i] == 0 || c.spent < best[i] {
							best[i] = c.spent
						}
					}
				}
			}
		}
		r := row{job: job, n: n, times: map[string]time.Duration{}}
		for i, con := range contenders {
			r.times[con.name] = best[i]
			b.ReportMetric(float64(best[i].Microseconds())/1000, strings.ReplaceAll(con.name, " ", "_")+"-ms")
		}
		table = append(table, r)
	})
}

// row is one line of the table that a benchmark run ends with.
type row struct {
	job   string
	n     int
	times map[string]time.Duration
}

var table []row

func TestMain(m *testing.M) {
	code := m.Run()
	printTables(os.Stdout)
	os.Exit(code)
}

// printTables writes the rows as Markdown, a table for each set of contenders: time,
// and what multiple of ours it is.
func printTables(w io.Writer) {
	slices.SortStableFunc(table, func(a, b row) int { return strings.Compare(a.job, b.job) })
	var before []string
	for _, r := range table {
		names := slices.Sorted(maps.Keys(r.times))
		names = slices.DeleteFunc(names, func(name string) bool { return name == ours })
		if !contains(before, names) {
			fmt.Fprintf(w, "\n| | n | %s |\n", strings.Join(append([]string{ours}, names...), " | "))
			fmt.Fprintf(w, "|---|---|---|%s\n", strings.Repeat("---|", len(names)))
			before = names
		}
		fmt.Fprintf(w, "| %s | %d | %s |", r.job, r.n, pretty(r.times[ours]))
		for _, name := range before {
			if t, ok := r.times[name]; ok {
				fmt.Fprintf(w, " %s, %s× |", pretty(t), digits(float64(t)/float64(r.times[ours])))
			} else {
				fmt.Fprint(w, " – |")
			}
		}
		fmt.Fprintln(w)
	}
}

// contains says whether a table with these columns has room for all names.
func contains(columns, names []string) bool {
	for _, name := range names {
		if !slices.Contains(columns, name) {
			return false
		}
	}
	return true
}

func pretty(d time.Duration) string {
	if d >= time.Second {
		return digits(d.Seconds()) + " s"
	}
	return digits(d.Seconds()*1000) + " ms"
}

// digits writes v with two or three significant ones and no exponent.
func digits(v float64) string {
	switch {
	case v >= 10:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
