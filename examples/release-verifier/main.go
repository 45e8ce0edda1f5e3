// Command release-verifier judges releases and ceremonies from their bytes alone,
// as shamir/SPEC.md says, and shares no code with what made them.
//
//	go run ./examples/release-verifier [folder of the vectors]
//
// Its input is the JSON of shamir/testdata: good cases and bad ones, each with the
// check that it must fail. Whoever writes another verifier can hold it against the
// same files. Sections in comments are those of SPEC.md.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"os"
	"slices"
)

func main() {
	folder := "shamir/testdata"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	right, err := verify(os.Stdout, os.DirFS(folder))
	if err != nil {
		log.Fatal(err)
	}
	if !right {
		os.Exit(1)
	}
}

// fields are a case of the files; bytes are in hex.
type fields map[string]any

func (f fields) text(name string) string   { s, _ := f[name].(string); return s }
func (f fields) number(name string) uint64 { v, _ := f[name].(float64); return uint64(v) }
func (f fields) bytes(name string) []byte {
	b, err := hex.DecodeString(f.text(name))
	need(err == nil, "no hex")
	return b
}

func (f fields) list(name string) (all []fields) {
	list, _ := f[name].([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		all = append(all, m)
	}
	return all
}

func (f fields) numbers(name string) (all []uint64) {
	list, _ := f[name].([]any)
	for _, v := range list {
		n, _ := v.(float64)
		all = append(all, uint64(n))
	}
	return all
}

// check is one line of a verdict: run says what it saw, or panics with a refusal.
type check struct {
	name string
	run  func() (seen string)
}

// report prints verdicts and remembers whether all were those that the files name.
type report struct {
	io.Writer
	right bool
}

func (r *report) line(right bool, format string, args ...any) {
	r.right = r.right && right
	fmt.Fprintf(r, "  %s "+format+"\n", append([]any{map[bool]string{true: "✓", false: "✗"}[right]}, args...)...)
}

// verify judges all cases of a folder; it is false when a verdict is another than
// the one that its file names.
func verify(w io.Writer, folder fs.FS) (bool, error) {
	r := &report{w, true}
	var releases, ceremonies struct{ Releases, Ceremonies, Refused []fields }
	var forms []fields
	for name, v := range map[string]any{"release.json": &releases, "ceremony.json": &ceremonies, "refused.json": &forms} {
		b, err := fs.ReadFile(folder, name)
		if err == nil {
			err = json.Unmarshal(b, v)
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
	}
	r.cases(releases.Releases, releases.Refused, releaseChecks)
	for _, c := range releases.Releases {
		fmt.Fprintf(w, "\nshares released %s\n", c.text("name"))
		for _, s := range c.list("shares") {
			r.line(s.text("found") == s.text("verdict"), "%-9s %s", s["found"], s["name"])
		}
	}
	r.cases(ceremonies.Ceremonies, ceremonies.Refused, ceremonyChecks)
	fmt.Fprintf(w, "\nforms that no reader takes\n")
	for _, f := range forms {
		why := attempt(func() { readers[f.text("form")](f.bytes("hex")) })
		r.line(why != "", "%-9s %s: %s", why, f["form"], f["name"])
	}
	return r.right, nil
}

// cases judges those that hold, line by line, and those that fail, by the first
// check that does.
func (r *report) cases(hold, fail []fields, checks func(fields) []check) {
	named := map[string]fields{}
	for _, c := range hold {
		named[c.text("name")] = c
		fmt.Fprintf(r, "\n%s\n", c.text("name"))
		for _, check := range checks(c) {
			var seen string
			why := attempt(func() { seen = check.run() })
			if r.line(why == "", "%-17s %s%s", check.name, seen, why); why != "" {
				break
			}
		}
	}
	fmt.Fprintf(r, "\nto be refused, at the first check that fails\n")
	for _, f := range fail {
		c := maps.Clone(named[f.text("of")])
		set, _ := f["set"].(map[string]any)
		maps.Copy(c, set)
		for _, s := range f.list("splices") {
			log, at := c.bytes("log"), s.number("at")
			c["log"] = hex.EncodeToString(slices.Concat(log[:at], s.bytes("put"), log[at+s.number("drop"):]))
		}
		var failed string
		var why refusal
		for _, check := range checks(c) {
			if why = attempt(func() { check.run() }); why != "" {
				failed = check.name
				break
			}
		}
		r.line(failed == f.text("fails"), "%-17s %s: %s", failed, f["name"], why)
	}
}
