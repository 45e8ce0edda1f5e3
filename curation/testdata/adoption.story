# A seal on a network that has its artist is a motion: three of four members must be for
# it. Two compete here; requests go on with the old artist.

alice requests "one"
m1 seals dawn
alice seals noon
----
artwork.requested rid=r1 account=alice prompt=one model=458386… expiry=48 readers=1,2,3,4
model.nominated motion=1a5648… model=c937ca… name=dawn key_epoch=2 container=bafkreicguvz23aegdb76lqnt6qip3aqi3ajwj7axsxxglcxz26bte7cso4 plain_hash=b04293… member=1 until=86407
motion.vote motion=1a5648… member=1 votes=1 threshold=3
refused (not member): account alice is not a member: only members may do this

m2 seals noon
m1 adopts 2
m2 adopts 4
m3 adopts 1
alice adopts 2
m4 stores 2
----
model.nominated motion=ff7133… model=1a45ef… name=noon key_epoch=3 container=bafkreiby3jbbeijeyl2jyhq4hoadnwpvntbuagpqudm3nr7lhonmah5i4m plain_hash=61c505… member=2 until=86408
motion.vote motion=ff7133… member=2 votes=1 threshold=3
refused (duplicate): member 1 has voted for this already
refused (unknown): no artist was sealed for key epoch 4
refused (duplicate): key epoch 1 is on trial already: there is nothing to vote on
refused (not member): account alice is not a member: only members may do this
refused (wrong phase): key epoch 2 is not adopted yet

m3 adopts 2
m3 adopts 3
bob requests "two"
show model 2
----
motion.vote motion=1a5648… member=3 votes=2 threshold=3
motion.vote motion=ff7133… member=3 votes=2 threshold=3
artwork.requested rid=r2 account=bob prompt=two model=458386… expiry=50 readers=1,2,3,4
key epoch 2: nominated "dawn" of member 1, base 0, 1 layer, stored by [1], before 0, 0 approved, opened by [], ""

m4 adopts 2
show model 2
show keep
----
motion.vote motion=1a5648… member=4 votes=3 threshold=3
model.adopted key_epoch=2 model=c937ca… votes=1,3,4 until=50
model.stored key_epoch=2 member=1 stored=1 needed=3
key epoch 2: proposed "dawn" of member 1, base 0, 1 layer, stored by [1], before 0, 0 approved, opened by [], ""
keep: [1 2]

# It is adopted, and current when three have stored it.

m4 stores 2
bob requests "three"
m2 stores 2
m3 adopts 2
show model 1
show model 2
show keep
----
model.stored key_epoch=2 member=4 stored=2 needed=3
artwork.requested rid=r3 account=bob prompt=three model=458386… expiry=52 readers=1,2,3,4
model.stored key_epoch=2 member=2 stored=3 needed=3
model.discarded key_epoch=1 member=1 reason="another one took its place before it was proven" current=2
model.current key_epoch=2 model=c937ca… layers=1 before=0
refused (duplicate): key epoch 2 is on trial already: there is nothing to vote on
key epoch 1: discarded "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 0 approved, opened by [], "another one took its place before it was proven"
key epoch 2: on trial "dawn" of member 1, base 0, 1 layer, stored by [1 4 2], before 0, 0 approved, opened by [], ""
keep: [1 2]

carol requests "of the new artist"
m1 certifies r1
m4 adopts 3
----
artwork.requested rid=r4 account=carol prompt="of the new artist" model=c937ca… expiry=53 readers=1,2,3,4
approval.certified rid=r1 certificate=b66a75… seed=e6e336… order=1,3,4,2
motion.vote motion=ff7133… member=4 votes=3 threshold=3
model.adopted key_epoch=3 model=1a45ef… votes=2,3,4 until=52
model.stored key_epoch=3 member=2 stored=1 needed=3

# What was asked of the old artist is still made by it; the new one is proven by its own.

m1 certifies r4
generator registers r1
----
approval.certified rid=r4 certificate=b1880e… seed=8545c3… order=1,4,3,2
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=1

generator registers r4
auditor attests r1
----
artwork.registered rid=r4 cid=folder-r4 pixel_root=pixels-r4 generator=1
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=3

auditor attests r4
show model 1
show model 2
----
artwork.attested rid=r4 cid=folder-r4 pixel_root=pixels-r4 auditor=4
model.proven key_epoch=2 openers=1,4
key epoch 1: discarded "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [1 3], "another one took its place before it was proven"
key epoch 2: proven "dawn" of member 1, base 0, 1 layer, stored by [1 4 2], before 0, 1 approved, opened by [1 4], ""

# The other one was adopted a little later, in its place: but nobody stores it.

m1 adopts 3
----
refused (duplicate): key epoch 3 is proposed already: there is nothing to vote on

wait 39
show model 3
----
25 round.opened round=1 candidates=r1,r4 back_until=30 open_until=35
30 artwork.declined rid=r1 cid=folder-r1 round=1 rank=1 score=0 backing=0 refund=100 reason="nobody backed it"
30 artwork.declined rid=r4 cid=folder-r4 round=1 rank=2 score=0 backing=0 refund=100 reason="nobody backed it"
30 round.settled round=1 published= backing=0 treasury_tribute=0 maker_tribute=0
50 artwork.expired rid=r2 status=requested reason="no certificate in time" refund=100
52 artwork.expired rid=r3 status=requested reason="no certificate in time" refund=100
52 model.discarded key_epoch=3 member=2 reason="too few members have stored it" current=2
52 rotation.due key_epoch=2 layers=1 order=3,2,4,1
key epoch 3: discarded "noon" of member 2, base 0, 1 layer, stored by [2], before 0, 0 approved, opened by [], "too few members have stored it"
