# A round that is not opened in time costs nobody anything, and its candidates come
# back in the next one. The opening phase is 5 blocks.

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

auditor attests r1
auditor attests r2
auditor attests r3
----
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=3
model.proven key_epoch=1 openers=1,3
artwork.attested rid=r2 cid=folder-r2 pixel_root=pixels-r2 auditor=4
artwork.attested rid=r3 cid=folder-r3 pixel_root=pixels-r3 auditor=1
11 round.opened round=1 candidates=r2,r1,r3 back_until=16 open_until=21

alice backs r1 with 10 escrow 20
carol backs r2 with 10 label wrong
bob backs r2 with 10 round 2
dave backs r2 with 2000
dave backs r2 with 0.5
dave backs r2 with 1
dave backs r2 with 1
dave backs r2 with 1
dave backs r2 with 1
dave backs r2 with 1
----
order.sealed round=1 order=0 account=alice escrow=20
refused (proof): sealed order: proof: ciphertext refused
refused (unknown): there is no round 2
refused (funds): balance is 1000 credits, the escrow and fee need 2000.01 credits
refused (limit): the escrow is 0.5 credits, the least is 1
order.sealed round=1 order=1 account=dave escrow=1
order.sealed round=1 order=2 account=dave escrow=1
order.sealed round=1 order=3 account=dave escrow=1
order.sealed round=1 order=4 account=dave escrow=1
refused (limit): the account has 4 orders in round 1, the most that one may have: wait for the next round

m1 opens     # too early
----
refused (wrong phase): round 1 is backing, not opening

wait 3
----
16 round.opening round=1 orders=5 escrow=24

alice backs r1 with 1
m1 opens proof bad
m3 opens as m2
alice opens as m1
m1 opens          # good, but a member has one wrong opening checked in a block
----
refused (wrong phase): round 1 is opening, not backing
refused (proof): opening: share of member 1: proof of equal logarithms: proof does not hold
refused (not member): member 3 sent an opening with share 2, which is not its own
refused (not member): account alice is not a member: only members may do this
refused (limit): a wrong market.open of the account came before it in this block: send it again in the next one

m1 opens
m1 opens
m4 opens
show account alice
----
order.shares round=1 member=1 orders=5
refused (duplicate): member 1 has opened round 1 already
order.shares round=1 member=4 orders=5
alice: 878.97 free, 120 locked, nonce 4

wait 4
show account alice
show account dave
show artwork r1
----
21 order.refunded round=1 order=0 account=alice rid=000000… tribute=0 refund=20 reason="the round was not opened in time"
21 order.refunded round=1 order=1 account=dave rid=000000… tribute=0 refund=1 reason="the round was not opened in time"
21 order.refunded round=1 order=2 account=dave rid=000000… tribute=0 refund=1 reason="the round was not opened in time"
21 order.refunded round=1 order=3 account=dave rid=000000… tribute=0 refund=1 reason="the round was not opened in time"
21 order.refunded round=1 order=4 account=dave rid=000000… tribute=0 refund=1 reason="the round was not opened in time"
21 round.failed round=1 orders=5 openers=1,4 reason="the round was not opened in time"
22 round.opened round=2 candidates=r2,r1,r3 back_until=27 open_until=32
alice: 898.97 free, 100 locked, nonce 4
dave: 999.93 free, 0 locked, nonce 7
r1: backing, order [1 3 4 2], generator 1, auditor 3, backing 0 by 0, ""

# The next round opened by itself. Orders that cannot be read, were copied, or ask
# for what is not there are refunded one by one.

alice backs r1 with 10 round 2
bob backs r2 with 10 escrow 5 round 2
bob backs r2 with 10 as alice round 2
carol backs r2 with 10 box empty round 2
carol backs r9 with 10 round 2
dave backs r3 with 10 round 2
----
order.sealed round=2 order=0 account=alice escrow=10
order.sealed round=2 order=1 account=bob escrow=5
order.sealed round=2 order=2 account=bob escrow=10
order.sealed round=2 order=3 account=carol escrow=10
order.sealed round=2 order=4 account=carol escrow=10
order.sealed round=2 order=5 account=dave escrow=10

wait 4
----
27 round.opening round=2 orders=6 escrow=55

m1 opens round 2
m2 opens round 2
m3 opens round 2
m4 opens round 2
----
order.shares round=2 member=1 orders=6
order.shares round=2 member=2 orders=6
order.shares round=2 member=3 orders=6
order.shares round=2 member=4 orders=6
28 order.opened round=2 order=0 account=alice rid=r1 deposit=10 min_out=0
28 order.opened round=2 order=1 account=bob rid=r2 deposit=10 min_out=0
28 order.refunded round=2 order=1 account=bob rid=r2 tribute=1 refund=4 reason="the deposit is above the escrow"
28 order.refunded round=2 order=2 account=bob rid=000000… tribute=1 refund=9 reason="the order was sealed by another account"
28 order.refunded round=2 order=3 account=carol rid=000000… tribute=1 refund=9 reason="the sealed box holds no order"
28 order.opened round=2 order=4 account=carol rid=090000… deposit=10 min_out=0
28 order.refunded round=2 order=4 account=carol rid=090000… tribute=1 refund=9 reason="the artwork is not in this round"
28 order.opened round=2 order=5 account=dave rid=r3 deposit=10 min_out=0
28 order.filled round=2 order=0 account=alice rid=r1 cost=9.7 tribute=0.3 tokens=4.737767782 refund=0
28 artwork.published rid=r1 cid=folder-r1 round=2 rank=1 score=7759848100 backing=9.7 backers=1 supply=104.737767782 reserve=109.7 maker=m1 maker_pay=0.1
28 order.filled round=2 order=5 account=dave rid=r3 cost=9.7 tribute=0.3 tokens=4.737767782 refund=0
28 artwork.published rid=r3 cid=folder-r3 round=2 rank=2 score=7759848100 backing=9.7 backers=1 supply=104.737767782 reserve=109.7 maker=m4 maker_pay=0.1
28 artwork.declined rid=r2 cid=folder-r2 round=2 rank=3 score=0 backing=0 refund=100 reason="nobody backed it"
28 round.settled round=2 published=r1,r3 backing=19.4 treasury_tribute=4.4 maker_tribute=0.2

show account alice
show account bob
show account carol
show treasury
----
alice: 888.96 free, 0 locked, nonce 5
bob: 996.97 free, 0 locked, nonce 4
carol: 896.97 free, 0 locked, nonce 4
treasury: 7.58, fees 3.18, tributes 4.4
