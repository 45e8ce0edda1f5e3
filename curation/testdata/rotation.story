# A key epoch is 30 blocks old at the earliest when it ends, and only if a request was
# approved under it. Then a member is drawn, those first who have not opened the artist.

alice requests "one"
m1 rotates
----
artwork.requested rid=r1 account=alice prompt=one model=458386… expiry=48 readers=1,2,3,4
refused (wrong phase): key epoch 1 is on trial: it may end once it is proven

m1 certifies r1
----
approval.certified rid=r1 certificate=b66a75… seed=e6e336… order=1,3,4,2

generator registers r1
----
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=1

auditor attests r1
show model 1
----
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=3
model.proven key_epoch=1 openers=1,3
key epoch 1: proven "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [1 3], ""

wait 27
show turns
show keep
----
21 round.opened round=1 candidates=r1 back_until=26 open_until=31
26 artwork.declined rid=r1 cid=folder-r1 round=1 rank=1 score=0 backing=0 refund=100 reason="nobody backed it"
26 round.settled round=1 published= backing=0 treasury_tribute=0 maker_tribute=0
36 rotation.due key_epoch=1 layers=1 order=2,4,3,1
turns: [2 4 3 1]
keep: [1]

# It is the first one's turn; the others wait. Nobody may bring something else.

rotator2 rotates
rotator rotates base 7
rotator rotates base 0
rotator rotates proof bad
alice rotates
m1 stores 2
----
refused (wrong phase): it is not yet member 4's turn to end key epoch 1
refused (wrong phase): what is asked for is a layer around key epoch 1: wrap that
refused (wrong phase): what is asked for is a layer around key epoch 1: wrap that
refused (proof): model key: proof: ciphertext refused
refused (not member): account alice is not a member: only members may do this
refused (unknown): there is no key epoch 2

# The first one stays silent, so after 4 blocks the next may too.

wait 4
----

rotator2 rotates
rotator rotates
show keep
----
model.rotated key_epoch=2 base=1 layers=2 container=bafkreic7wzca4jdqk27ty7f52dzzinitihe63jrswkwkhx3bwfs2blvni4 member=4 until=83
model.stored key_epoch=2 member=4 stored=1 needed=3
refused (duplicate): key epoch 2 is proposed already: wait until members have stored it
keep: [1 2]

# Three of four must have the container before it is current; then it is on trial.

alice requests "two"
----
artwork.requested rid=r2 account=alice prompt=two model=458386… expiry=85 readers=1,2,3,4

m1 stores 2
m2 stores 2
m3 stores 2
m4 stores 2
show model 2
show keep
----
model.stored key_epoch=2 member=1 stored=2 needed=3
model.stored key_epoch=2 member=2 stored=3 needed=3
model.current key_epoch=2 model=458386… layers=2 before=1
refused (duplicate): key epoch 2 is on trial already
refused (duplicate): key epoch 2 is on trial already
key epoch 2: on trial "dusk" of member 4, base 1, 2 layers, stored by [4 1 2], before 1, 0 approved, opened by [], ""
keep: [1 2]

bob requests "three"
show model 1
----
artwork.requested rid=r3 account=bob prompt=three model=458386… expiry=87 readers=1,2,3,4
key epoch 1: proven "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [1 3], ""

# The request of before is made with the key epoch of before, and says nothing about the
# new one.

m1 certifies r2
m1 certifies r3
----
approval.certified rid=r2 certificate=a1457e… seed=f327da… order=2,1,3,4
approval.certified rid=r3 certificate=8274fc… seed=60c3e4… order=3,1,2,4

generator registers r2
generator registers r3
----
artwork.registered rid=r2 cid=folder-r2 pixel_root=pixels-r2 generator=2
artwork.registered rid=r3 cid=folder-r3 pixel_root=pixels-r3 generator=3

auditor attests r2
show model 2
----
artwork.attested rid=r2 cid=folder-r2 pixel_root=pixels-r2 auditor=1
key epoch 2: on trial "dusk" of member 4, base 1, 2 layers, stored by [4 1 2], before 1, 1 approved, opened by [], ""

auditor attests r3
show model 1
show model 2
show keep
----
artwork.attested rid=r3 cid=folder-r3 pixel_root=pixels-r3 auditor=1
model.proven key_epoch=2 openers=3,1
key epoch 1: retired "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 2 approved, opened by [2 1 3], ""
key epoch 2: proven "dusk" of member 4, base 1, 2 layers, stored by [4 1 2], before 1, 1 approved, opened by [3 1], ""
keep: [2]
