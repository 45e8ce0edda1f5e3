package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
)

func modelOpen(e *env) *cobra.Command {
	var out string
	var shares []string
	c := &cobra.Command{
		Use: "open", Short: "Open the sealed artist with the key that guardians have given away",
		Long: `open takes the sealed container from a node, opens it with the key that the
guardians have published, checks that it is the artist whose hash the ledger holds,
and writes its folder to --out. Anybody may do this, and draw with it from then on:
` + "`atelier model render --weights DIR`" + `. As long as the key is secret, it is refused.

When the ledger has died, guardians entrust their shares to one member instead
(` + "`atelier guardian entrust`" + `): that one names their files with --share and its own
home with --home, or its key with --key.`,
		Example: "  atelier model open --api 127.0.0.1:8080 --out ./artist\n  atelier model render --weights ./artist --prompt \"red heart\" --out heart.png",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out DIR is missing: where should the artist go?")
			}
			if _, err := os.Stat(filepath.Join(out, "model.safetensors")); err == nil {
				return fmt.Errorf("%s holds an artist already: choose another --out", out)
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			s, err := c.Succession(cmd.Context())
			if err != nil {
				return err
			}
			var secret curation.Hash
			switch {
			case len(shares) > 0:
				if secret, err = e.entrustedKey(s, shares); err != nil {
					return err
				}
			case s.Will == nil || s.Will.Height == 0:
				return refused(curation.CodeWrongPhase, "the key is not public: the artist opens for one approved picture at a time, ask for one with `atelier artwork request`")
			default:
				secret = s.Will.Secret
			}
			artist, m, err := c.OpenPublished(cmd.Context(), secret)
			if err != nil {
				return err
			}
			if err := artist.SaveDir(out); err != nil {
				return err
			}
			id, whose := artist.ID(), "everybody's now"
			if len(shares) > 0 {
				whose = "in the clear; seal it in the new network with `atelier model seal --weights " + quoted(out) + "`, and remove the folder"
			}
			return e.say(struct {
				Artist string `json:"artist"`
				Name   string `json:"name"`
				Dir    string `json:"dir"`
			}{curation.Hash(id).String(), m.Name, out}, "%s  %s, artist %x: %s\n", out, m.Name, id[:8], whose)
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the artist to `DIR`")
	options(c, &shares, "share", "", anyText, "`FILE` that a guardian entrusted to this account (repeatable)")
	return c
}
