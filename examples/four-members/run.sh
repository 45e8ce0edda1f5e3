#!/bin/sh
# Four people found a network, make an artist that none of them can use alone, and
# two collectors let it paint, choose, and check what they got.
#
# Each member is a process of its own with a home of its own, as it would be on four
# machines; only the addresses differ. Read it from top to bottom, or run it:
#
#     examples/four-members/run.sh
#
# It needs nothing but a shell and Go. ATELIER may hold the path of a program that is
# built already, and DIR an empty directory to keep everything in.
set -eu

if [ -z "${ATELIER:-}" ]; then
  ATELIER="${TMPDIR:-/tmp}/atelier-example-$$"
  (cd "$(dirname "$0")/../.." && go build -o "$ATELIER" ./cmd/atelier)
  built=$ATELIER
fi
if [ -z "${DIR:-}" ]; then
  DIR=$(mktemp -d)
  temporary=$DIR
fi
cd "$DIR"

# Every command that we run is shown with a $ in front.
run() { printf '\n$ atelier %s\n' "$*"; "$ATELIER" "$@"; }
say() { echo; printf '── %s\n' "$@"; }

# Whatever happens, no process stays behind.
pids=
leave() {
  kill $pids 2>/dev/null || true
  wait
  rm -rf ${built:+"$built"} ${temporary:+"$temporary"}
}
trap leave EXIT

# Blocks are made when there is something to do, and otherwise at this pace. It is
# also the clock of a round that waits.
export ATELIER_EMPTY_BLOCK_INTERVAL=${ATELIER_EMPTY_BLOCK_INTERVAL:-500ms}
export ATELIER_BLOCK_INTERVAL=${ATELIER_BLOCK_INTERVAL:-100ms}

say "Two collectors make a key each. They need no node and no seat."
run account create --key vera.age
run account create --key walid.age
vera=$("$ATELIER" account address --key vera.age)
walid=$("$ATELIER" account address --key walid.age)

say "Ada proposes a network of four: its rules, and who begins with how much."
# The spans are short, so that a round is over in seconds: dkg_… is the ceremony,
# back_blocks the time for sealed orders. `atelier network params` lists all rules.
run network create --home Ada --member-name Ada --network harbour --title "Harbour" \
  --members 4 --balance "$vera=5000" --balance "$walid=5000" \
  --param dkg_dispute_blocks=3 --param generate_blocks=60 --param audit_blocks=60 \
  --param round_candidates=3 --param back_blocks="${BACK_BLOCKS:-24}" --param max_published=2 \
  --param picture_size="${PICTURE_SIZE:-1024}"

say "She sends an invitation to each of the others. It carries all that they need."
for name in Bruno Chiara Dmitri; do
  invitation=$("$ATELIER" member invite --home Ada)
  run member join --home "$name" --member-name "$name" "$invitation"
done

say "Everybody starts a node. When all four have met, the network is founded."
for name in Ada Bruno Chiara Dmitri; do
  "$ATELIER" node start --home "$name" >"$name.out" 2>"$name.log" &
  pids="$pids $!"
  echo "$name runs as process $!"
done
# A node says where it answers in api.addr, as soon as the network is founded. If one
# ends instead, or minutes pass, what all of them said tells why.
tries=0
until [ -s Ada/api.addr ] && [ -s Bruno/api.addr ] && [ -s Chiara/api.addr ] && [ -s Dmitri/api.addr ]; do
  tries=$((tries + 1))
  if ! kill -0 $pids 2>/dev/null || [ "$tries" -gt 1800 ]; then
    tail -n 20 Ada.log Bruno.log Chiara.log Dmitri.log
    exit 1
  fi
  sleep 0.1
done

# From here on we look through Ada's node, unless we say otherwise.
export ATELIER_HOME=$DIR/Ada

say "The members make the network's keys on the ledger. No dealer, nobody holds them."
# It returns when the ceremony is over and every member can help.
run network wait
run member list

say "Ada makes the network's own artist and locks it under these keys."
run model seal --name "Harbour's own" --steps "${STEPS:-60}"

say "The collectors ask for pictures. Vera asks Bruno's node, Walid asks Chiara's."
bruno=$(cat Bruno/api.addr)
chiara=$(cat Chiara/api.addr)
# Their nodes may be a block behind Ada's, and know of no artist yet.
for node in "$bruno" "$chiara"; do
  until "$ATELIER" model show --api "$node" >/dev/null 2>&1; do sleep 0.1; done
done
run artwork request --prompt "red heart" --key vera.age --api "$bruno"
run artwork request --prompt "blue bird" --key walid.age --api "$chiara"
run artwork request --prompt "mountain at night" --key vera.age --api "$bruno"
run approval list
run artwork list

say "Three candidates wait, so a round opens by itself. Orders are sealed: nobody reads" \
  "them, no member either, before all are in."
run round wait backing
for node in "$bruno" "$chiara"; do "$ATELIER" round wait backing --api "$node" >/dev/null; done
id() { "$ATELIER" artwork list | awk -v p="$1" 'index($0, p) { print $1; exit }'; }
heart=$(id "red heart")
bird=$(id "blue bird")
run market quote "$heart" --deposit 300
run market back "$heart" --deposit 300 --key vera.age --api "$bruno"
run market back "$heart" --deposit 120 --min-out 20 --key walid.age --api "$chiara"
run market back "$bird" --deposit 250 --key walid.age --api "$chiara"
run round show

say "When the phase is over, the committee opens all orders together, clears each" \
  "artwork's batch at one price, and publishes the best."
run round wait settled
run round show
run account show --key vera.age
run artwork show "$heart"

say "Vera takes some of her money out again: a published artwork has a curve."
run market quote "$heart" --sell 10
run market sell "$heart" --tokens 10 --key vera.age

say "She fetches the picture through Bruno, and another copy as one file."
run artwork fetch "$heart" --out heart --api "$bruno"
run artwork fetch "$heart" --car heart.car --api "$bruno"

say "Everybody stops. What follows needs no network."
run network export --out harbour.json
for name in Ada Bruno Chiara Dmitri; do
  run node stop --home "$name"
done
unset ATELIER_HOME
run verify heart --network harbour.json
run verify heart.car --network harbour.json --json
