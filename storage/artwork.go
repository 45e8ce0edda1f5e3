package storage

// The files of an artwork's folder.
const (
	ImageName    = "image.png"
	MetadataName = "metadata.json"
	ReceiptName  = "receipt.cbor"
)

// MaxSide is the largest width and height of a picture, in pixels.
const MaxSide = 8192

// Picture is a decoded picture: 3 bytes (red, green, blue) a pixel, row by row.
type Picture struct {
	Width, Height int
	RGB           []byte
}

// Attribute is one trait in the metadata.
type Attribute struct {
	Trait string `json:"trait_type"`
	Value any    `json:"value"` // a string, or an integer
}

// Metadata is the JSON that wallets and galleries read (ERC-721 metadata, as
// OpenSea and others extend it).
type Metadata struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Image       string      `json:"image"` // ipfs:// and the picture's CID
	Attributes  []Attribute `json:"attributes"`
}

// Encode returns the JSON with its fields in a fixed order.
func (m Metadata) Encode() ([]byte, error) { return nil, ErrClosed }

// Text is one iTXt chunk of a PNG.
type Text struct {
	Keyword string // 1..79 bytes of printable ASCII: "Title", "Author", "Description", "atelier:rid"
	Text    string // UTF-8
}

// AddText inserts text chunks behind the PNG's header. The pixels and all other
// chunks stay as they are, byte for byte.
func AddText(png []byte, texts []Text) ([]byte, error) { return nil, ErrClosed }

// ReadText returns the uncompressed iTXt chunks of a PNG.
func ReadText(png []byte) ([]Text, error) { return nil, ErrClosed }

// EncodePNG writes a picture as an 8-bit RGB PNG.
func EncodePNG(p Picture) ([]byte, error) { return nil, ErrClosed }

// DecodePNG reads an opaque 8-bit PNG of at most maxSide by maxSide pixels
// (0 means MaxSide). It looks at the header before it allocates anything.
func DecodePNG(png []byte, maxSide int) (Picture, error) { return Picture{}, ErrClosed }

// Artwork is what a folder is built from.
type Artwork struct {
	Title       string // also in the PNG
	Author      string // also in the PNG, for example the network's name
	Description string // also in the PNG
	PNG         []byte // without text chunks of ours
	Attributes  []Attribute
	Receipt     Receipt
}

// BuildArtworkFolder returns image.png (with title, author, description and
// request id as iTXt), metadata.json (whose image is the CID of that PNG) and
// receipt.cbor. It is deterministic. Attributes that follow from the receipt
// (prompt, seed, generator and so on) are added to those of the artwork. It
// returns ErrPNG or ErrReceipt when the picture's size is not the receipt's.
func BuildArtworkFolder(a Artwork) ([]File, error) { return nil, ErrClosed }
