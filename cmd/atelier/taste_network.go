package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/api"
)

// lastTastes is how many versions a network's taste is shown with.
const lastTastes = 20

// versionNumber is the version of a network that somebody means: its number, or the word
// current when nothing was typed. It is false for the name of a file.
func versionNumber(args []string) (version string, ok bool) {
	if len(args) == 0 {
		return "current", true
	}
	_, err := strconv.ParseUint(args[0], 10, 64)
	return args[0], err == nil
}

// networkTaste is a version with those that there are.
type networkTaste struct {
	api.Taste
	Versions []api.TasteVersion `json:"versions"` // newest first
}

func (e *env) showNetworkTaste(ctx context.Context, version string, words int) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	t, err := c.Taste(ctx, version)
	if err != nil {
		return err
	}
	all, err := c.Tastes(ctx, lastTastes)
	if err != nil {
		return err
	}
	if e.json {
		return e.print(networkTaste{t, all})
	}
	n, err := c.Network(ctx)
	if err != nil {
		return err
	}
	after := fmt.Sprintf("after round %d: learned from %s, %d of them published", t.Round, count(int(t.Candidates), "artwork"), t.Published)
	if t.Version == 0 {
		after = "knows nothing yet: whatever is drawn from it explores"
	}
	fmt.Fprintf(e.out, "version %d, %s\nid %s\n", t.Version, after, t.ID)
	fmt.Fprintf(e.out, "adopted at height %d, as %s of %s recorded\n", t.Adopted, count(len(t.Records)-len(t.Differs), "member"), count(len(t.Records), "member"))
	for _, m := range t.Differs {
		fmt.Fprintf(e.out, "  %s found another one and keeps it\n", memberName(n, m))
	}
	if t.Missing != "" {
		fmt.Fprintf(e.out, "this node cannot tell what it knows yet: %s\n", t.Missing)
	}
	if t.Version > 0 && t.Missing == "" {
		e.showChange(t, words)
	}
	fmt.Fprintln(e.out)
	rows := [][]string{}
	for _, v := range all {
		round, differs := "-", "-"
		if v.Version > 0 {
			round = strconv.FormatUint(v.Round, 10)
		}
		if len(v.Differs) > 0 {
			differs = count(len(v.Differs), "member")
		}
		rows = append(rows, []string{strconv.FormatUint(v.Version, 10), round, strconv.FormatUint(v.Adopted, 10), v.ID.String(), differs})
	}
	return e.table(nil, "VERSION ROUND HEIGHT ID OTHERWISE", rows, "")
}

// showChange tells what a round changed: the words that moved most, and the pictures that
// moved them.
func (e *env) showChange(t api.Taste, words int) {
	fmt.Fprintf(e.out, "what round %d changed:\n", t.Round)
	for _, direction := range []struct {
		name string
		sign float64
	}{{"more of", 1}, {"less of", -1}} {
		shown := 0
		for _, seen := range []bool{true, false} { // words that the round's pictures had come first
			for _, w := range t.Changed {
				by := (w.After - w.Before) * direction.sign
				if by <= 0 || shown == words || (len(w.Published)+len(w.Declined) > 0) != seen {
					continue
				}
				shown++
				why := "it looks like others"
				if seen {
					why = strings.TrimSuffix(ids("published ", w.Published)+ids("declined ", w.Declined), ", ")
				}
				fmt.Fprintf(e.out, "  %s %-16s %-7s %+.2f  %s\n", direction.name, w.Word, w.Kind, w.After-w.Before, why)
			}
		}
	}
	for _, side := range []struct {
		name string
		of   []api.TasteParent
	}{{"new parent", t.Arrived}, {"no parent now", t.Departed}} {
		for _, p := range side.of {
			fmt.Fprintf(e.out, "  %-13s %s  %s\n", side.name, short(p.Artwork), strings.Join(p.Words, " "))
		}
	}
}

func ids(what string, of []curation.Hash) (text string) {
	for _, rid := range of {
		text += what + short(rid) + ", "
	}
	return text
}

func tasteFetch(e *env) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "fetch [VERSION]",
		Short: "Write the file of a version of the network's taste",
		Long: `fetch asks the node for the file of a version of the network's taste, the one in
force unless VERSION is given, and holds it against the hash on the ledger. With it
` + "`atelier verify --taste FILE`" + ` draws again what an artwork without a prompt shows.`,
		Example: "  atelier taste fetch --out taste.json\n  atelier taste fetch 3 --out taste-3.json",
		Args:    mayTake("VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, ok := versionNumber(args)
			switch {
			case !ok:
				return usage("%q is no version: give its number, as `atelier taste show` lists them", clip(args[0], 60))
			case out == "":
				return usage("--out FILE is missing: where should the version go?")
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			t, err := c.Taste(cmd.Context(), version)
			if err != nil {
				return err
			}
			raw, err := c.File(cmd.Context(), t.CID, "")
			if err != nil {
				return err
			}
			if err := isFile(raw, t.ID); err != nil {
				return err
			}
			if _, err := writeWhole(out, func(w io.Writer) error {
				_, err := w.Write(raw)
				return err
			}); err != nil {
				return err
			}
			return e.say(struct {
				Version uint64        `json:"version"`
				ID      curation.Hash `json:"id"`
				File    string        `json:"file"`
			}{t.Version, t.ID, out}, "%s  version %d, checked against %s\n", out, t.Version, t.ID)
		},
	}
	c.Flags().StringVar(&out, "out", "", "write it to `FILE`")
	return c
}

// isFile holds what a node gave as a version's file against its hash.
func isFile(raw []byte, id curation.Hash) error {
	if len(raw) > taste.MaxPrior || taste.ID(id) != taste.IDOf(raw) {
		return &invalidError{fmt.Sprintf("what the node gave is not the file with the hash %v: ask another member's node with --api", id)}
	}
	return nil
}
