// Package quorum turns the approvals of t members into one certificate of 48
// bytes that anybody can check offline, and into the seed of a request.
//
// Both are unique BLS signatures under the committee's key Y (BLS12-381,
// signatures in G1): whichever t members sign, the bytes are the same. The
// certificate signs a Statement, which binds chain, committee epoch, request,
// model, key epoch, ciphertext, possible readers and expiry. The seed signs the
// chain and the request id alone, so a request has one seed for good: it cannot
// be drawn again by letting the request lapse.
//
// Recovery is optimistic: it interpolates, verifies once, and looks for the liar
// only if that fails. Tally collects approvals as a pure state machine.
//
// Sources: Boneh, Lynn, Shacham, 2001; Boldyreva, PKC 2003; RFC 9380.
package quorum
