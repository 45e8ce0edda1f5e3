package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/p2p"
)

// Whatever a person types is understood by one rule: a parser says what is allowed,
// and read makes of its refusal a usage error that names where the text stood. Flags
// go through it while the line is read, before anything is done or asked; arguments
// and variables use the same parsers.

// read understands the text that was typed for name.
func read[T any](name, text string, parse func(string) (T, error)) (T, error) {
	v, err := parse(text)
	if err != nil {
		return v, usage("%s %q: %w", name, clip(text, 60), err)
	}
	return v, nil
}

// typed is a flag that is understood by read.
type typed[T any] struct {
	name, text string
	parse      func(string) (T, error)
	take       func(T)
}

func (f *typed[T]) String() string { return f.text }
func (f *typed[T]) Type() string   { return "text" }

func (f *typed[T]) Set(text string) error {
	v, err := read("--"+f.name, text, f.parse)
	if err == nil {
		f.text = text
		f.take(v)
	}
	return err
}

// option adds a flag to c. fallback is its text when none is given, "" for none: then
// to keeps what it holds.
func option[T any](c *cobra.Command, to *T, name, fallback string, parse func(string) (T, error), usage string) {
	f := &typed[T]{name: name, parse: parse, take: func(v T) { *to = v }}
	if fallback != "" {
		if err := f.Set(fallback); err != nil {
			panic(err) // the fallback is ours
		}
	}
	c.Flags().Var(f, name, usage)
}

// options adds a flag that may be given several times; sep, when there is one, also
// joins several in one text.
func options[T any](c *cobra.Command, to *[]T, name, sep string, parse func(string) (T, error), usage string) {
	all := func(text string) (list []T, err error) {
		words := []string{text}
		if sep != "" {
			words = strings.Split(text, sep)
		}
		for _, word := range words {
			v, err := parse(word)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	c.Flags().Var(&typed[[]T]{name: name, parse: all, take: func(v []T) { *to = append(*to, v...) }}, name, usage)
}

// flagError makes a usage error of what the flag library refuses.
func flagError(cmd *cobra.Command, err error) error {
	var ours *usageError
	if errors.As(err, &ours) {
		return ours
	}
	text, _, notBool := strings.Cut(err.Error(), ": strconv.") // the only values that are not ours
	if notBool {
		text += ": choose true or false"
	}
	if _, number, found := strings.Cut(text, " in -"); found && number[0] >= '0' && number[0] <= '9' {
		text = fmt.Sprintf("%q is below 0: want an amount such as 12 or 0.5", "-"+number)
	}
	return usage("%s (see `%s --help`)", text, cmd.CommandPath())
}

// between reads a whole number.
func between(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		return n, nil
	}
}

// ordinal reads the number of something that is counted from 1.
func ordinal(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, errors.New("want a whole number from 1")
	}
	return n, nil
}

// oneOf reads one of some words.
func oneOf[T ~string](words ...T) func(string) (T, error) {
	return func(text string) (T, error) {
		if !slices.Contains(words, T(text)) {
			all := make([]string, len(words))
			for i, w := range words {
				all[i] = string(w)
			}
			return "", fmt.Errorf("choose among %s", strings.Join(all, ", "))
		}
		return T(text), nil
	}
}

// span reads how long something may take.
func span(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("want a time such as 30s, 5m or 1h")
	}
	return d, nil
}

// amount reads credits, or whole tokens.
func amount(text string) (curve.Amount, error) {
	a, err := curve.ParseCredits(text)
	switch {
	case errors.Is(err, curve.ErrOverflow):
		return a, errors.New("that is more than can exist")
	case err != nil:
		return a, errors.New("want an amount such as 12 or 0.5, with at most 9 decimal places")
	}
	return a, nil
}

// positive is amount without 0.
func positive(text string) (curve.Amount, error) {
	a, err := amount(text)
	if err == nil && a.IsZero() {
		err = errors.New("want more than 0")
	}
	return a, err
}

// pngFile reads where a PNG goes. One by another name would not be opened as what it is.
func pngFile(text string) (string, error) {
	switch strings.ToLower(filepath.Ext(text)) {
	case ".png", "":
		return text, nil
	}
	return "", errors.New("the picture is a PNG: want a name that ends in .png, or one without an ending")
}

func anyText(text string) (string, error) { return text, nil }

// valid is a parser for text that a check accepts as it is.
func valid(check func(string) error) func(string) (string, error) {
	return func(text string) (string, error) { return text, check(text) }
}

var (
	person      = valid(curation.ValidateName) // a name for people, of a member, a network or an artist
	networkName = valid(p2p.ValidateNetwork)
	multiaddr   = valid(config.CheckAddress)
	wish        = valid(curation.ValidatePrompt)
	deathPolicy = oneOf(curation.Mortal, curation.GuardianPolicy, curation.WillPolicy)
	logLevel    = oneOf("debug", "info", "warn", "error")
)

// prompt reads what render draws; nothing lets the seed decide.
func prompt(text string) (string, error) {
	if len(text) > model.MaxPrompt || !utf8.ValidString(text) {
		return "", fmt.Errorf("want at most %d bytes of UTF-8", model.MaxPrompt)
	}
	return text, nil
}

// folderName reads the name of an artwork's folder in IPFS.
func folderName(text string) (cid.Cid, error) {
	c, err := cid.Decode(text)
	if err != nil {
		return c, errors.New("want a CID such as bafybei…")
	}
	return c, nil
}

// artworkID reads how an artwork is named: by its request, or by its folder in IPFS.
func artworkID(text string) (string, error) {
	digits := strings.Trim(strings.ToLower(text), "0123456789abcdef") == ""
	if digits && len(text) >= 8 && len(text) <= 2*len(curation.Hash{}) || curation.ValidateCID(text) == nil {
		return text, nil
	}
	return "", errors.New("want a request id, 8 hex digits or more of it, or the CID of a folder; `atelier artwork list` shows the ids")
}

// nodeAddress reads where a node answers: host:port or a URL.
func nodeAddress(text string) (string, error) {
	wrong := errors.New("want HOST:PORT such as 127.0.0.1:8080, or the URL of a gallery")
	if scheme, _, isURL := strings.Cut(text, "://"); isURL {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || scheme != "http" && scheme != "https" {
			return "", wrong
		}
		return text, nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || strings.ContainsAny(host, " /?#@") {
		return "", wrong
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", wrong
	}
	return text, nil
}

// invitation reads what `atelier member invite` printed.
func invitation(text string) (p2p.Invitation, error) {
	letters := []rune(strings.Join(strings.Fields(text), ""))
	for i, r := range letters {
		if r > unicode.MaxASCII {
			return p2p.Invitation{}, fmt.Errorf("character %d, %q, cannot occur in an invitation: copy the whole string that `atelier member invite` printed", i+1, r)
		}
	}
	i, err := p2p.ParseInvitation(text)
	if err != nil {
		return i, fmt.Errorf("%w; copy the whole string that `atelier member invite` printed", err)
	}
	return i, nil
}

// balance reads ADDRESS=CREDITS.
func balance(text string) (b curation.GenesisBalance, err error) {
	address, credits, ok := strings.Cut(text, "=")
	if !ok {
		return b, errors.New("want ADDRESS=CREDITS")
	}
	if b.Account, err = curation.ParseAddress(address); err == nil {
		b.Amount, err = positive(credits)
	}
	return b, err
}
