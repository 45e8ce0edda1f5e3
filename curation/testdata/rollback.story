# A layer that too few members have stored comes to nothing. Its rotator is passed over.

alice requests "one"
----
artwork.requested rid=r1 account=alice prompt=one model=458386… expiry=48 readers=1,2,3,4

m1 certifies r1
----
approval.certified rid=r1 certificate=b66a75… seed=e6e336… order=1,3,4,2

generator registers r1
----
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=1

auditor attests r1
----
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=3
model.proven key_epoch=1 openers=1,3

wait 27
show turns
----
21 round.opened round=1 candidates=r1 back_until=26 open_until=31
26 artwork.declined rid=r1 cid=folder-r1 round=1 rank=1 score=0 backing=0 refund=100 reason="nobody backed it"
26 round.settled round=1 published= backing=0 treasury_tribute=0 maker_tribute=0
36 rotation.due key_epoch=1 layers=1 order=2,4,3,1
turns: [2 4 3 1]

rotator rotates
----
model.rotated key_epoch=2 base=1 layers=2 container=bafkreic7wzca4jdqk27ty7f52dzzinitihe63jrswkwkhx3bwfs2blvni4 member=2 until=78
model.stored key_epoch=2 member=2 stored=1 needed=3

m4 stores 2
m4 stores 2
----
model.stored key_epoch=2 member=4 stored=2 needed=3
refused (duplicate): member 4 has told already that it has the container of key epoch 2

wait 40
show turns
show model 2
----
78 model.discarded key_epoch=2 member=2 reason="too few members have stored it" current=1
turns: [4 3 1]
key epoch 2: discarded "dusk" of member 2, base 1, 2 layers, stored by [2 4], before 0, 0 approved, opened by [], "too few members have stored it"

# The next one is stored, and nobody can open it: a request is approved and expires. Its
# requester gets the deposit back, the layer before is current again.

rotator rotates
----
model.rotated key_epoch=3 base=1 layers=2 container=bafkreictpj47qv6p2ll53um4lipn45waejtuj72daxbg4i2slxfatj6v7q member=4 until=120
model.stored key_epoch=3 member=4 stored=1 needed=3

m1 stores 3
m2 stores 3
m3 stores 3
m4 stores 3
----
model.stored key_epoch=3 member=1 stored=2 needed=3
model.stored key_epoch=3 member=2 stored=3 needed=3
model.current key_epoch=3 model=458386… layers=2 before=1
refused (duplicate): key epoch 3 is on trial already
refused (duplicate): key epoch 3 is on trial already

bob requests "of a bad layer"
show account bob
----
artwork.requested rid=r2 account=bob prompt="of a bad layer" model=458386… expiry=123 readers=1,2,3,4
bob: 899 free, 100 locked, nonce 1

m1 certifies r2
show model 3
show keep
----
approval.certified rid=r2 certificate=932a14… seed=001f91… order=4,3,2,1
key epoch 3: on trial "dusk" of member 4, base 1, 2 layers, stored by [4 1 2], before 1, 1 approved, opened by [], ""
keep: [1 3]

wait 40
show account bob
show model 1
show model 3
show turns
show keep
----
123 artwork.expired rid=r2 status=approved reason="nobody generated it in time" refund=100
123 model.discarded key_epoch=3 member=4 reason="an approved request expired, because nobody made its picture" current=1
bob: 999 free, 0 locked, nonce 1
key epoch 1: proven "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [1 3], ""
key epoch 3: discarded "dusk" of member 4, base 1, 2 layers, stored by [4 1 2], before 1, 1 approved, opened by [], "an approved request expired, because nobody made its picture"
turns: [3 1]
keep: [1]

# Requests go on with what was before, and the third one tries.

bob requests "of the layer before"
rotator rotates
----
artwork.requested rid=r3 account=bob prompt="of the layer before" model=458386… expiry=165 readers=1,2,3,4
model.rotated key_epoch=4 base=1 layers=2 container=bafkreigurgvuyx5kxlenlwtvrwhsfo6lqzeletmhnji35ku46i45bz5blu member=3 until=164
model.stored key_epoch=4 member=3 stored=1 needed=3

m1 certifies r3
----
approval.certified rid=r3 certificate=a04f9e… seed=adff37… order=2,4,1,3
