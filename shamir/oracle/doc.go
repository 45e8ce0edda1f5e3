// Package oracle holds what atelier's custody is measured and checked against: other
// people's implementations of the same mathematics. It is a module of its own, so that
// the main one needs none of them and its tests do not wait for them.
//
//	go test ./...                                        the oracles, a few seconds
//	go test -run '^$' -bench . -benchtime 1x -timeout 2h the table of BENCHMARKS.md
//
// Everything is in test files. What kyber v3 offers between distrusting peers is
// unsafe (SECURITY.md of the main module); here it meets only itself.
//
// Oracles: go.dedis.ch/kyber v3 and v4 (polynomials, threshold BLS, ceremonies),
// github.com/cloudflare/circl/sign/bls, github.com/consensys/gnark-crypto (BLS12-381 by
// other authors), github.com/smartcontractkit/tdh2 (labelled threshold decryption over
// P-256, whose keys a trusted dealer makes).
package oracle
