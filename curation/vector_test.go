package curation

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

// The values of this test were computed by a second implementation, forty lines
// of Python over hashlib with CBOR written by hand. A change of one of them is
// another ledger.
func TestKnownForms(t *testing.T) {
	fill := func(b byte) Hash { return Hash(bytes.Repeat([]byte{b}, 32)) }
	one, two := fill(1), fill(2)

	body := Body{Nonce: 7, ValidUntil: 1000, Payload: Send{To: Address(two), Amount: curve.Credits(3)}}.Bytes()
	require.Equal(t, "846c6163636f756e742e73656e64071903e88258200202020202020202020202020202020202020202020202020202020202020202"+
		"44b2d05e00", hex.EncodeToString(body))
	require.Equal(t, "c3ebc2f285cac13d2217fad86171a81e6ab69ba2443fa893279dfda98c70afd7", Tx{Signer: Address(one), BodyBytes: body}.ID().String())

	require.Equal(t, "04892cc181ae1802620425614171e0d6177a1f3ac309d007ddcc1ab2c8280524", ModelID(one).String())
	require.Equal(t, "073554f5361849f05d8dc1acb39ff3490f77ef684a482737c7f0ed27ef3b3b8c", ModelLabel(one, two, 3, fill(4), fill(5)).String())
	require.Equal(t, "6c2198a415ddec2402faff5a32791fcfa47479434a9861b3d3ac559c2dbb112d", RequestID(one, 9, 2).String())
	require.Equal(t, []uint32{5, 9, 3, 7, 4, 8, 6, 10, 1, 2}, Draw(one, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}))

	order := OpenOrder{Account: Address(one), RID: two, Deposit: curve.Credits(5), MinOut: curve.NewAmount(1)}
	require.Equal(t, "84"+"5820"+one.String()+"5820"+two.String()+
		"500000000000000000000000012a05f200"+"5000000000000000000000000000000001", hex.EncodeToString(order.Bytes()))

	// An example of the did:key method for ed25519.
	a, err := ParseAddress("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
	require.NoError(t, err)
	require.Equal(t, "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6", hex.EncodeToString(a[:]))
}
