package storage

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multibase"
)

// The files of an artwork's folder.
const (
	ImageName    = "image.png"
	MetadataName = "metadata.json"
	ReceiptName  = "receipt.cbor"
)

// The keywords of the texts that BuildArtworkFolder puts into the picture. They
// are for people and plain viewers: many tools strip them, and nothing signs
// them.
const (
	TextTitle       = "Title"
	TextAuthor      = "Author"
	TextDescription = "Description"
	TextRequestID   = "atelier:rid" // lower-case hex
)

// TextRecipe is the keyword under which a picture that somebody draws at home carries
// its recipe. An artwork's folder has none: the receipt implies it.
const TextRecipe = "atelier:recipe"

// Attribute is one trait in the metadata.
type Attribute struct {
	Trait string `json:"trait_type"`
	Value string `json:"value"`
}

// Metadata is the JSON that wallets and galleries read (ERC-721 metadata, with
// the attributes that OpenSea and others add).
type Metadata struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Image       string      `json:"image"` // ipfs:// and the picture's CID
	Attributes  []Attribute `json:"attributes"`
}

// Encode returns the JSON with its fields in a fixed order.
func (m Metadata) Encode() ([]byte, error) {
	if m.Attributes == nil {
		m.Attributes = []Attribute{}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return out.Bytes(), nil
}

// Artwork is what a folder is built from. Its texts hold at most MaxText bytes
// each; what is not UTF-8 in them, and NUL, becomes U+FFFD.
type Artwork struct {
	Title       string
	Author      string // for example the network's name
	Description string
	PNG         []byte      // as EncodePNG writes it; its own chunks stay
	Attributes  []Attribute // come before those that follow from the receipt
	Receipt     Receipt
}

// maxMetadata bounds a metadata file that is read, in bytes.
const maxMetadata = 64 << 10

// DecodeMetadata reads a metadata file of this package; fields that others added
// are passed over.
func DecodeMetadata(b []byte) (Metadata, error) {
	var m Metadata
	if len(b) > maxMetadata {
		return m, fmt.Errorf("metadata of %d bytes: %w", len(b), ErrTooLarge)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("metadata: %w", err)
	}
	return m, nil
}

// BuildArtworkFolder returns image.png (with title, author, description and
// request id as text chunks), metadata.json (whose image is the CID of that PNG)
// and receipt.cbor. It is deterministic. It returns ErrPNG or ErrReceipt when
// one of them is invalid or the picture does not have the receipt's size.
func BuildArtworkFolder(a Artwork) ([]File, error) {
	receipt, err := a.Receipt.Encode()
	if err != nil {
		return nil, fmt.Errorf("artwork: %w", err)
	}
	h, _, err := parsePNG(a.PNG)
	if err != nil {
		return nil, fmt.Errorf("artwork: %w", err)
	}
	if uint64(h.width) != a.Receipt.Width || uint64(h.height) != a.Receipt.Height {
		return nil, fmt.Errorf("artwork: the picture is %d by %d, the receipt says %d by %d: %w",
			h.width, h.height, a.Receipt.Width, a.Receipt.Height, ErrReceipt)
	}
	picture, err := AddText(a.PNG, a.Texts())
	if err != nil {
		return nil, fmt.Errorf("artwork: %w", err)
	}
	image, err := FileCID(picture)
	if err != nil {
		return nil, fmt.Errorf("artwork: %w", err)
	}
	metadata, err := a.Metadata(image).Encode()
	if err != nil {
		return nil, fmt.Errorf("artwork: %w", err)
	}
	return []File{{ImageName, picture}, {MetadataName, metadata}, {ReceiptName, receipt}}, nil
}

// Texts are the text chunks of the picture in the folder: title, author and description,
// with U+FFFD for bytes that no chunk can hold, and the request's id in hex.
func (a Artwork) Texts() []Text {
	return []Text{
		{TextTitle, printable(a.Title)}, {TextAuthor, printable(a.Author)}, {TextDescription, printable(a.Description)},
		{TextRequestID, hex.EncodeToString(a.Receipt.RequestID[:])},
	}
}

// Metadata is the folder's, for a picture of that CID.
func (a Artwork) Metadata(image cid.Cid) Metadata {
	return Metadata{
		Name: printable(a.Title), Description: printable(a.Description), Image: "ipfs://" + image.String(),
		Attributes: append(append([]Attribute{}, a.Attributes...), a.Receipt.Attributes()...),
	}
}

// Label is what an artwork's folder says in words: all but the picture follows
// from its receipt, the name of its network and that of the network's artist, so
// whoever knows these can tell a label that somebody made up.
func Label(network, artist string, r Receipt) Artwork {
	if r.Edition != nil {
		title, description := r.Edition.describe(network, artist)
		return Artwork{Title: title, Author: network, Description: description, Attributes: []Attribute{{"Artist", artist}}, Receipt: r}
	}
	name, made := r.Prompt, fmt.Sprintf("for the prompt %q", r.Prompt)
	switch {
	case r.Taste != nil:
		name, made = r.Taste.Words, fmt.Sprintf("without a prompt, from version %d of what its collectors like", r.Taste.Version)
	case r.Prompt == "":
		made = "without a prompt"
	}
	return Artwork{
		Title:       title(name),
		Author:      network,
		Description: fmt.Sprintf("Made by the artist %q of %s %s; the seed is the members' own signature.", artist, network, made),
		Attributes:  []Attribute{{"Artist", artist}},
		Receipt:     r,
	}
}

// title is a prompt as a heading.
func title(prompt string) string {
	prompt = strings.TrimSpace(prompt)
	_, n := utf8.DecodeRuneInString(prompt)
	if n == 0 {
		return "Untitled"
	}
	return strings.ToUpper(prompt[:n]) + prompt[n:]
}

// printable makes a text that a chunk can hold of one that somebody typed: no
// prompt may keep its picture from being stored.
func printable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Attributes says of the receipt what people ask for.
func (r Receipt) Attributes() []Attribute {
	from := []Attribute{{"Prompt", r.Prompt}}
	switch {
	case r.Edition != nil:
		from = r.Edition.attributes()
		if r.Prompt != "" {
			from = append(from, Attribute{"Prompt", r.Prompt})
		} else if t := r.Edition.Of[0].Taste; t != nil {
			from = append(from, Attribute{"Words", t.Words})
		}
	case r.Taste != nil:
		from = []Attribute{{"Words", r.Taste.Words}, {"Taste", fmt.Sprintf("version %d", r.Taste.Version)}, {"Prior", hex.EncodeToString(r.Taste.Prior[:])}}
	case r.Prompt == "":
		from = nil
	}
	return append(from, []Attribute{
		{"Seed", hex.EncodeToString(r.Seed[:])},
		{"Model", r.ModelCID.String()},
		{"Kernel", r.Kernel},
		{"Size", fmt.Sprintf("%d × %d", r.Width, r.Height)},
		{"Collector", account(r.Collector)},
		{"Generator", account(r.Generator)},
		{"Request", hex.EncodeToString(r.RequestID[:])},
		{"Pixels", hex.EncodeToString(r.PixelRoot[:])},
	}...)
}

// account is the text form of an ed25519 public key: multibase base58btc of the
// multicodec 0xed and the key, as in did:key.
func account(key [32]byte) string {
	text, err := multibase.Encode(multibase.Base58BTC, append([]byte{0xed, 0x01}, key[:]...))
	if err != nil {
		panic(err) // the base is known
	}
	return text
}
