package main

import (
	"bytes"
	"testing"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// TestCoefficientsAreReadUpToSmallOrder adds what a dealer may add, and what it may not.
func TestCoefficientsAreReadUpToSmallOrder(t *testing.T) {
	var k bls.Scalar
	k.SetUint64(12345)
	var p bls.G2
	p.ScalarMult(&k, bls.G2Generator())
	b := p.Bytes()
	require.True(t, equal(wide(b), loose(b)))
	for _, order := range append(shamirtest.SmallOrders, 0) {
		low := shamirtest.SmallOrder(order, 5)
		moved := shamirtest.AddOnCurve(b, low)
		require.NotEqual(t, b, moved)
		require.True(t, equal(wide(b), loose(moved)), "order %d", order)
		require.True(t, equal(g2.zero, loose(low)), "order %d alone", order)
		require.EqualValues(t, "encoding", attempt(func() { wide(moved) }), "a constant term is read as it stands")
	}
	for name, bad := range map[string][]byte{
		"short": b[:191], "long": append(bytes.Clone(b), 0), "compressed": p.BytesCompressed(), "off the curve": append(bytes.Clone(b[:191]), b[191]^1),
		"the identity": append([]byte{0x40}, make([]byte, 191)...), "a coordinate beyond the prime": append([]byte{0x1f, 0xff}, b[2:]...), "with a sign": append([]byte{b[0] | 0x20}, b[1:]...),
	} {
		require.NotEmpty(t, attempt(func() { loose(bad) }), name)
	}
}
