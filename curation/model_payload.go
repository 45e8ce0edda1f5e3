package curation

// Seal records a model under the committee's key. The ciphertext holds the file key of
// the container under the label that ModelLabel gives for these fields; the ledger
// checks its proof. The first one is the network's artist; each later one opens a
// motion to adopt it, and is its sender's vote.
type Seal struct {
	_             struct{} `cbor:",toarray"`
	Name          string   // what people call the artist; at most MaxName bytes; after a training TrainedName
	KeyEpoch      uint64   // View.NextKeyEpoch
	PlainHash     Hash     // SHA-256 of the plain model file; fixes the model id
	PolicyHash    Hash     // hash of the document under which the key is released
	ContainerHash Hash     // SHA-256 of the container file
	ContainerCID  string   // where the container lies, CIDv1
	ContainerSize uint64   // bytes of the container
	Ciphertext    []byte   // seal.Ciphertext.Bytes, at most MaxSealedKey
	Training      uint64   // number of the training that it came of, whose trainer the signer is; 0 for none
}

// Adopt is the signing member's vote to make the artist that was sealed for a key epoch
// the network's.
type Adopt struct {
	_        struct{} `cbor:",toarray"`
	KeyEpoch uint64
}

// Rotate proposes the next key epoch: the current container in one more layer, or, when
// it has MaxLayers of them, the same artist sealed from scratch. The ciphertext holds
// the file key of the new container under LayerLabel, or under ModelLabel without a base.
type Rotate struct {
	_             struct{} `cbor:",toarray"`
	Base          uint64   // key epoch of the container inside: the current one; 0 from scratch
	KeyEpoch      uint64   // View.NextKeyEpoch
	ContainerCID  string
	ContainerHash Hash
	ContainerSize uint64
	Ciphertext    []byte // seal.Ciphertext.Bytes, at most MaxSealedKey
}

// Stored is the signing member's word that it has the container that was proposed for a
// key epoch, with the hash that the ledger tells.
type Stored struct {
	_        struct{} `cbor:",toarray"`
	KeyEpoch uint64
}

func (Seal) Kind() Kind   { return KindSeal }
func (Adopt) Kind() Kind  { return KindAdopt }
func (Rotate) Kind() Kind { return KindRotate }
func (Stored) Kind() Kind { return KindStored }

// Validate checks names, the CID and sizes.
func (s Seal) Validate() error {
	if err := ValidateName(s.Name); err != nil {
		return err
	}
	if err := ValidateCID(s.ContainerCID); err != nil {
		return err
	}
	return sized("ciphertext", s.Ciphertext, MaxSealedKey)
}

// Validate accepts every key epoch: only the ledger knows which there are.
func (Adopt) Validate() error { return nil }

// Validate checks the CID by ValidateCID, and that the ciphertext has 1 to MaxSealedKey
// bytes.
func (r Rotate) Validate() error {
	if err := ValidateCID(r.ContainerCID); err != nil {
		return err
	}
	return sized("ciphertext", r.Ciphertext, MaxSealedKey)
}

// Validate accepts every key epoch: only the ledger knows which there are.
func (Stored) Validate() error { return nil }
