# Editions: what is there already, drawn once more. Members keep one for 6 blocks; one
# has at most 4,000,000 pixels, of which each million begun costs 0.1 credits.

alice requests "one"
bob requests "two"
carol requests "three"
----
artwork.requested rid=r1 account=alice prompt=one model=458386… expiry=48 readers=1,2,3,4
artwork.requested rid=r2 account=bob prompt=two model=458386… expiry=48 readers=1,2,3,4
artwork.requested rid=r3 account=carol prompt=three model=458386… expiry=48 readers=1,2,3,4

m1 certifies r1
m1 certifies r2
m1 certifies r3
----
approval.certified rid=r1 certificate=b66a75… seed=e6e336… order=1,3,4,2
approval.certified rid=r2 certificate=aca714… seed=d0b154… order=2,4,3,1
approval.certified rid=r3 certificate=80e47e… seed=8f9078… order=4,1,2,3

generator registers r1
generator registers r2
generator registers r3
----
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=1
artwork.registered rid=r2 cid=folder-r2 pixel_root=pixels-r2 generator=2
artwork.registered rid=r3 cid=folder-r3 pixel_root=pixels-r3 generator=4

# Before anybody has seen it, a work is its requester's alone.

alice redraws r1
auditor attests r1
auditor attests r2
auditor attests r3
alice redraws r1
bob redraws r1
alice films r1 r2 size 100 frames 10 length 1000
show account alice
----
refused (wrong phase): artwork r1 is registered: an edition is of what is published, or of what you asked for yourself while it is a candidate
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=3
model.proven key_epoch=1 openers=1,3
artwork.attested rid=r2 cid=folder-r2 pixel_root=pixels-r2 auditor=4
artwork.attested rid=r3 cid=folder-r3 pixel_root=pixels-r3 auditor=1
artwork.requested rid=r4 account=alice prompt=one model=458386… expiry=51 readers=1,2,3,4
edition.requested rid=r4 of=r1 size=1000 frames=0 price=0.1
refused (wrong phase): artwork r1 is candidate: an edition is of what is published, or of what you asked for yourself while it is a candidate
refused (wrong phase): artwork r2 is candidate: an edition is of what is published, or of what you asked for yourself while it is a candidate
11 round.opened round=1 candidates=r2,r1,r3 back_until=16 open_until=21
alice: 795.9 free, 200.1 locked, nonce 4

# What a request cannot be.

bob backs r1 with 20
carol backs r3 with 30
bob redraws r9
bob redraws r2 size 2001
bob redraws r2 model older
alice redraws r4
alice redraws r1
show editions r1
show editions r2
----
order.sealed round=1 order=0 account=bob escrow=20
order.sealed round=1 order=1 account=carol escrow=30
refused (unknown): there is no artwork 090000…
refused (limit): the edition has 4004001 pixels in all, the most is 4000000: ask for a smaller size or fewer frames
refused (unknown): model 090000… is not the current one, 458386…: ask again for that
refused (wrong phase): r4 is an edition itself: name the artwork that it is of, r1
refused (duplicate): this edition is asked for already, as r4: wait for it
editions of r1: ["r4 requested"]
editions of r2: []

# It takes the way of every request. Its price is the generator's, the deposit comes back,
# and no round hears of it.

m2 certifies r4
----
approval.certified rid=r4 certificate=b084ea… seed=0fd15b… order=2,4,3,1

generator registers r4
----
artwork.registered rid=r4 cid=folder-r4 pixel_root=pixels-r4 generator=2

auditor attests r4
show artwork r4
show account alice
show treasury
show kept
----
artwork.attested rid=r4 cid=folder-r4 pixel_root=pixels-r4 auditor=4
edition.delivered rid=r4 cid=folder-r4 maker=m2 price=0.1 refund=100 until=21
r4: delivered, order [2 4 3 1], generator 2, auditor 4, backing 0 by 0, ""
alice: 893.9 free, 100 locked, nonce 6
treasury: 12.02, fees 12.02, tributes 0
kept: [r4]

# The same is not made twice while it is kept; another size is.

alice redraws r1
alice redraws r1 size 1001
alice redraws r1 changes x
bob redraws r4
show editions r1
----
refused (duplicate): this edition is there as r4, and kept until height 21: fetch it
artwork.requested rid=r5 account=alice prompt=one model=458386… expiry=56 readers=1,2,3,4
edition.requested rid=r5 of=r1 size=1001 frames=0 price=0.2
artwork.requested rid=r6 account=alice prompt=one model=458386… expiry=56 readers=1,2,3,4
edition.requested rid=r6 of=r1 size=1000 frames=0 price=0.1
refused (wrong phase): r4 is an edition itself: name the artwork that it is of, r1
16 round.opening round=1 orders=2 escrow=50
editions of r1: ["r6 requested" "r5 requested" "r4 delivered"]

# What a round published is there for everybody. What it declined is nobody's.

m1 opens
m2 opens
m3 opens
m1 refills 8
m2 refills 8
m3 refills 8
m4 refills 8
----
order.shares round=1 member=1 orders=2
order.shares round=1 member=2 orders=2
order.shares round=1 member=3 orders=2
member.prekeys member=1 added=8 waiting=10
member.prekeys member=2 added=8 waiting=10
member.prekeys member=3 added=8 waiting=10
member.prekeys member=4 added=8 waiting=10
17 order.opened round=1 order=0 account=bob rid=r1 deposit=20 min_out=0
17 order.opened round=1 order=1 account=carol rid=r3 deposit=30 min_out=0
17 order.filled round=1 order=1 account=carol rid=r3 cost=29.1 tribute=0.9 tokens=13.622180933 refund=0
17 artwork.published rid=r3 cid=folder-r3 round=1 rank=1 score=19399754089 backing=29.1 backers=1 supply=113.622180933 reserve=129.1 maker=m4 maker_pay=0.3
17 order.filled round=1 order=0 account=bob rid=r1 cost=19.4 tribute=0.6 tokens=9.270307037 refund=0
17 artwork.published rid=r1 cid=folder-r1 round=1 rank=2 score=19399754089 backing=19.4 backers=1 supply=109.270307037 reserve=119.4 maker=m1 maker_pay=0.2
17 artwork.declined rid=r2 cid=folder-r2 round=1 rank=3 score=0 backing=0 refund=100 reason="nobody backed it"
17 round.settled round=1 published=r3,r1 backing=48.5 treasury_tribute=1 maker_tribute=0.5

wait 5
----

alice redraws r1
dave films r1 r3 size 64 frames 10 length 1000 way once
dave redraws r2
bob redraws r2
dave redraws r3 size 10
show account dave
show editions r3
show kept
----
artwork.requested rid=r7 account=alice prompt=one model=458386… expiry=63 readers=1,2,3,4
edition.requested rid=r7 of=r1 size=1000 frames=0 price=0.1
artwork.requested rid=r8 account=dave prompt=one model=458386… expiry=63 readers=1,2,3,4
edition.requested rid=r8 of=r1,r3 size=64 frames=10 price=0.1
refused (wrong phase): artwork r2 is declined: an edition is of what is published, or of what you asked for yourself while it is a candidate
refused (wrong phase): artwork r2 is declined: an edition is of what is published, or of what you asked for yourself while it is a candidate
artwork.requested rid=r9 account=dave prompt=three model=458386… expiry=63 readers=1,2,3,4
edition.requested rid=r9 of=r3 size=10 frames=0 price=0.1
dave: 796.8 free, 200.2 locked, nonce 3
editions of r3: ["r9 requested" "r8 requested"]
kept: []

# An auditor that draws something else ends it: nobody is paid, and it may be asked for
# again.

m1 certifies r8
----
approval.certified rid=r8 certificate=8859e9… seed=c99714… order=4,1,3,2

generator registers r8
----
artwork.registered rid=r8 cid=folder-r8 pixel_root=pixels-r8 generator=4

auditor attests r8 root other
show account dave
show artwork r8
----
artwork.disputed rid=r8 cid=folder-r8 pixel_root=pixels-r8 audited_root=bb0000… generator=4 auditor=1 refund=100.1
dave: 896.9 free, 100.1 locked, nonce 3
r8: disputed, order [4 1 3 2], generator 4, auditor 1, backing 0 by 0, "the auditor rendered other pixels"

dave films r1 r3 size 64 frames 10 length 1000 way once
show account dave
----
artwork.requested rid=r10 account=dave prompt=one model=458386… expiry=67 readers=1,2,3,4
edition.requested rid=r10 of=r1,r3 size=64 frames=10 price=0.1
dave: 795.8 free, 200.2 locked, nonce 4

# So it is with one that nobody finishes.

wait 40
----
36 rotation.due key_epoch=1 layers=1 order=4,2,3,1
56 artwork.expired rid=r5 status=requested reason="no certificate in time" refund=100.2
56 artwork.expired rid=r6 status=requested reason="no certificate in time" refund=100.1
63 artwork.expired rid=r7 status=requested reason="no certificate in time" refund=100.1
63 artwork.expired rid=r9 status=requested reason="no certificate in time" refund=100.1
67 artwork.expired rid=r10 status=requested reason="no certificate in time" refund=100.1

show account dave
show account alice
show treasury
----
dave: 996 free, 0 locked, nonce 4
alice: 889.9 free, 0 locked, nonce 10
treasury: 23.02, fees 22.02, tributes 1

# One whose file is larger than members keep ends when a second member has found the same:
# the requester is told, pays the fee alone, and nobody has it drawn again.

dave redraws r1 size 1500
----
artwork.requested rid=r11 account=dave prompt=one model=458386… expiry=108 readers=1,2,3,4
edition.requested rid=r11 of=r1 size=1500 frames=0 price=0.3

m1 certifies r11
----
approval.certified rid=r11 certificate=923135… seed=31b80d… order=3,1,4,2

generator registers r11 root none
show artwork r11
----
artwork.registered rid=r11 cid= pixel_root=000000… generator=3
r11: registered, order [3 1 4 2], generator 3, auditor 0, backing 0 by 0, ""

auditor attests r11 root none
show artwork r11
show account dave
show kept
m4 attests r11 root none
m3 registers r11
dave redraws r1 size 1500
alice redraws r1 size 1500
----
artwork.attested rid=r11 cid= pixel_root=000000… auditor=1
artwork.expired rid=r11 status=registered reason="its file is larger than members keep: ask for a smaller size or fewer frames" refund=100.3
refused (duplicate): artwork r11 is expired already
refused (duplicate): artwork r11 is expired already
refused (limit): this edition was drawn as r11, and its file is larger than members keep: ask for a smaller size or fewer frames
refused (limit): this edition was drawn as r11, and its file is larger than members keep: ask for a smaller size or fewer frames
r11: expired, order [3 1 4 2], generator 3, auditor 1, backing 0 by 0, "its file is larger than members keep: ask for a smaller size or fewer frames"
dave: 994 free, 0 locked, nonce 6
kept: []

# A generator that only says so is found out, and it may be asked for again.

dave redraws r1 size 1499
----
artwork.requested rid=r12 account=dave prompt=one model=458386… expiry=112 readers=1,2,3,4
edition.requested rid=r12 of=r1 size=1499 frames=0 price=0.3

m1 certifies r12
----
approval.certified rid=r12 certificate=8e85f8… seed=6dc218… order=4,1,3,2

generator registers r12 root none
----
artwork.registered rid=r12 cid= pixel_root=000000… generator=4

auditor attests r12
show artwork r12
dave redraws r1 size 1499
----
artwork.disputed rid=r12 cid= pixel_root=000000… audited_root=pixels-r12 generator=4 auditor=1 refund=100.3
artwork.requested rid=r13 account=dave prompt=one model=458386… expiry=115 readers=1,2,3,4
edition.requested rid=r13 of=r1 size=1499 frames=0 price=0.3
r12: disputed, order [4 1 3 2], generator 4, auditor 1, backing 0 by 0, "the auditor rendered other pixels"

# It may take the colours of another one, of which the same is asked.

bob redraws r1 size 70 colours r2
bob redraws r1 size 70 colours r11
bob redraws r1 size 70 colours r99
bob redraws r1 size 70 colours r3
bob redraws r1 size 70 colours r3
bob redraws r1 size 70
show editions r3
----
refused (wrong phase): artwork r2 is declined: an edition is of what is published, or of what you asked for yourself while it is a candidate
refused (wrong phase): r11 is an edition itself: name the artwork that it is of, r1
refused (unknown): there is no artwork 630000…
artwork.requested rid=r14 account=bob prompt=one model=458386… expiry=116 readers=1,2,3,4
edition.requested rid=r14 of=r1 size=70 frames=0 price=0.1
refused (duplicate): this edition is asked for already, as r14: wait for it
artwork.requested rid=r15 account=bob prompt=one model=458386… expiry=116 readers=1,2,3,4
edition.requested rid=r15 of=r1 size=70 frames=0 price=0.1
editions of r3: ["r10 expired" "r9 expired" "r8 disputed"]

# Of an artist that others took the place of, the members keep nothing.

m1 seals dawn
m2 adopts 2
m3 adopts 2
----
model.nominated motion=1a5648… model=c937ca… name=dawn key_epoch=2 container=bafkreicguvz23aegdb76lqnt6qip3aqi3ajwj7axsxxglcxz26bte7cso4 plain_hash=b04293… member=1 until=86476
motion.vote motion=1a5648… member=1 votes=1 threshold=3
motion.vote motion=1a5648… member=2 votes=2 threshold=3
motion.vote motion=1a5648… member=3 votes=3 threshold=3
model.adopted key_epoch=2 model=c937ca… votes=1,2,3 until=116
model.stored key_epoch=2 member=1 stored=1 needed=3

m2 stores 2
m3 stores 2
----
model.stored key_epoch=2 member=2 stored=2 needed=3
model.stored key_epoch=2 member=3 stored=3 needed=3
model.current key_epoch=2 model=c937ca… layers=1 before=1

dave redraws r1 size 20
show model 2
----
refused (wrong phase): artwork r1 was drawn by the artist "dusk" of key epoch 1, of which the members keep nothing since they have "dawn": only who has that artist draws it once more
key epoch 2: on trial "dawn" of member 1, base 0, 1 layer, stored by [1 2 3], before 1, 0 approved, opened by [], ""
