module github.com/atelier-dao/atelier/shamir/oracle

go 1.26.0

replace github.com/atelier-dao/atelier => ../..

require (
	github.com/atelier-dao/atelier v0.0.0-00010101000000-000000000000
	github.com/consensys/gnark-crypto v0.19.2
	github.com/stretchr/testify v1.12.1
	go.dedis.ch/kyber/v3 v3.1.0
	go.dedis.ch/kyber/v4 v4.0.2
)

require (
	github.com/bits-and-blooms/bitset v1.24.4 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/cloudflare/circl v1.6.5
	github.com/gtank/ristretto255 v0.2.0 // indirect
	github.com/smartcontractkit/tdh2/go/tdh2 v0.0.0-20251120172354-e8ec0386b06c
	go.dedis.ch/fixbuf v1.0.3 // indirect
	go.dedis.ch/protobuf v1.0.11 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
