package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// screen draws the progress of long work: colours and a moving bar on a terminal,
// plain lines elsewhere.
type screen struct {
	w        io.Writer
	terminal bool
	width    int
	bar      string // what the bar on the last line is about, "" when there is none
	started  time.Time
	step     time.Time
	quarter  int // last quarter of a bar that a plain line was printed for
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, width: 80, started: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" {
		s.terminal = true
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 20 {
			s.width = cols
		}
	}
	return s
}

func (s *screen) style(code, text string) string {
	if !s.terminal {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Step begins a part.
func (s *screen) Step(number int, name, meaning string) {
	s.endStep()
	s.step = time.Now()
	fmt.Fprintf(s.w, "\n%s %s\n   %s\n", s.style("1;36", fmt.Sprintf("%d.", number)), s.style("1", name), s.style("2", meaning))
}

// Fact prints a line of the current part.
func (s *screen) Fact(format string, args ...any) {
	s.clear()
	fmt.Fprintf(s.w, "   %s\n", fmt.Sprintf(format, args...))
}

// Progress moves the bar.
func (s *screen) Progress(what string, done, total int) {
	if total < 1 {
		return
	}
	done = min(max(done, 0), total)
	if !s.terminal {
		s.plain(what, done, total)
		return
	}
	const cells = 24
	full := cells * done / total
	bar := strings.Repeat("━", full) + strings.Repeat("─", cells-full)
	line := fmt.Sprintf("   %s %s %d/%d", s.style("36", bar), what, done, total)
	fmt.Fprintf(s.w, "\r\x1b[2K%s", line)
	s.bar = what
	if done == total {
		s.clear()
	}
}

// plain prints a line at each quarter, so that a log stays short.
func (s *screen) plain(what string, done, total int) {
	quarter := 4 * done / total
	key, _, _ := strings.Cut(what, ",")
	if key == s.bar && quarter == s.quarter {
		return
	}
	s.bar, s.quarter = key, quarter
	fmt.Fprintf(s.w, "   %s %d/%d\n", what, done, total)
}

func (s *screen) clear() {
	if s.terminal && s.bar != "" {
		fmt.Fprint(s.w, "\r\x1b[2K")
		s.bar = ""
	}
}

func (s *screen) endStep() {
	s.clear()
	if !s.step.IsZero() {
		fmt.Fprintf(s.w, "   %s\n", s.style("2", fmt.Sprintf("%.1f s", time.Since(s.step).Seconds())))
		s.step = time.Time{}
	}
}

func (s *screen) end() { s.endStep() }
