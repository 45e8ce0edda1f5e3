# Three prompts become candidates, four people back them in one sealed batch, the
# two best are published, the third gets everything back, and one collector leaves.
# The parameters are those of testParams: 400,000 ppm of a round for one account.

alice requests "a lighthouse in fog"
bob requests "a harbour at dawn"
carol requests "a heron"
show account alice
----
artwork.requested rid=r1 account=alice prompt="a lighthouse in fog" model=458386… expiry=48 readers=1,2,3,4
artwork.requested rid=r2 account=bob prompt="a harbour at dawn" model=458386… expiry=48 readers=1,2,3,4
artwork.requested rid=r3 account=carol prompt="a heron" model=458386… expiry=48 readers=1,2,3,4
alice: 899 free, 100 locked, nonce 1

m1 certifies r1
m2 certifies r2
m3 certifies r3
m4 certifies r3   # a second identical one costs nobody anything
----
approval.certified rid=r1 certificate=84b3ac… seed=d76d78… order=2,3,4,1
approval.certified rid=r2 certificate=84d26c… seed=552fbe… order=3,1,2,4
approval.certified rid=r3 certificate=aa5549… seed=e705a0… order=2,4,3,1
refused (duplicate): artwork r3 is approved already

generator registers r1
generator registers r2
generator registers r3
----
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=2
artwork.registered rid=r2 cid=folder-r2 pixel_root=pixels-r2 generator=3
artwork.registered rid=r3 cid=folder-r3 pixel_root=pixels-r3 generator=2

# The auditor is the first of the seed's order that did not generate.

auditor attests r1
auditor attests r2
auditor attests r3
----
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=3
model.proven key_epoch=1 openers=2,3
artwork.attested rid=r2 cid=folder-r2 pixel_root=pixels-r2 auditor=1
artwork.attested rid=r3 cid=folder-r3 pixel_root=pixels-r3 auditor=4
11 round.opened round=1 candidates=r1,r3,r2 back_until=16 open_until=21

alice backs r2 with 30
bob backs r1 with 20 escrow 25
carol backs r1 with 20
dave backs r1 with 5 min 100     # wants too many tokens for its money
dave backs r3 with 10
dave backs r2 with 10
show account dave
show account bob
----
order.sealed round=1 order=0 account=alice escrow=30
order.sealed round=1 order=1 account=bob escrow=25
order.sealed round=1 order=2 account=carol escrow=20
order.sealed round=1 order=3 account=dave escrow=5
order.sealed round=1 order=4 account=dave escrow=10
order.sealed round=1 order=5 account=dave escrow=10
dave: 974.97 free, 25 locked, nonce 3
bob: 873.99 free, 125 locked, nonce 2

# Nothing about the orders is known before the phase ends; then any three members
# open all of them at once.

wait 4
----
16 round.opening round=1 orders=6 escrow=100

m1 opens
m4 opens
show account dave
----
order.shares round=1 member=1 orders=6
order.shares round=1 member=4 orders=6
dave: 974.97 free, 25 locked, nonce 3

m3 opens
show account alice
show account bob
show account carol
show account dave
show account m2
show market r1
show market r2
show treasury
show artwork r3
----
order.shares round=1 member=3 orders=6
18 order.opened round=1 order=0 account=alice rid=r2 deposit=30 min_out=0
18 order.opened round=1 order=1 account=bob rid=r1 deposit=20 min_out=0
18 order.opened round=1 order=2 account=carol rid=r1 deposit=20 min_out=0
18 order.opened round=1 order=3 account=dave rid=r1 deposit=5 min_out=100
18 order.opened round=1 order=4 account=dave rid=r3 deposit=10 min_out=0
18 order.opened round=1 order=5 account=dave rid=r2 deposit=10 min_out=0
18 order.filled round=1 order=1 account=bob rid=r1 cost=19.4 tribute=0.6 tokens=8.9067059 refund=5
18 order.filled round=1 order=2 account=carol rid=r1 cost=19.4 tribute=0.6 tokens=8.9067059 refund=0
18 order.refunded round=1 order=3 account=dave rid=r1 tribute=0 refund=5 reason="the price moved past the order's limit"
18 artwork.published rid=r1 cid=folder-r1 round=1 rank=1 score=77599016356 backing=38.8 backers=2 supply=117.8134118 reserve=138.8 maker=m2 maker_pay=0.4
18 order.filled round=1 order=0 account=alice rid=r2 cost=29.1 tribute=0.9 tokens=13.36005885 refund=0
18 order.filled round=1 order=5 account=dave rid=r2 cost=9.7 tribute=0.3 tokens=4.45335295 refund=0
18 artwork.published rid=r2 cid=folder-r2 round=1 rank=2 score=72401355625 backing=38.8 backers=2 supply=117.8134118 reserve=138.8 maker=m3 maker_pay=0.4
18 order.refunded round=1 order=4 account=dave rid=r3 tribute=0 refund=10 reason="the artwork was not published"
18 artwork.declined rid=r3 cid=folder-r3 round=1 rank=3 score=9699886144 backing=9.7 refund=100 reason="the round chose others"
18 round.settled round=1 published=r1,r2 backing=87.3 treasury_tribute=1.6 maker_tribute=0.8
alice: 868.99 free, 0 locked, nonce 2
bob: 878.99 free, 0 locked, nonce 2
carol: 978.99 free, 0 locked, nonce 2
dave: 989.97 free, 0 locked, nonce 3
m2: 0.4 free, 0 locked, nonce 7
r1: supply 117.8134118, reserve 138.8, sales 0
r2: supply 117.8134118, reserve 138.8, sales 0
treasury: 4.66, fees 3.06, tributes 1.6
r3: declined, order [2 4 3 1], generator 2, auditor 4, backing 9.7 by 1, "the round chose others"

m2 opens
----
refused (wrong phase): round 1 is settled, not opening

bob sells 1 of r1
carol sells 2 of r1 min 1000
carol sells 200 of r1
alice sells 1 of r3
show market r1
show account bob
show treasury
----
market.sold rid=r1 account=bob tokens=1 payout=2.322805554 tribute=0.023462682 supply=116.8134118 reserve=136.453731764
refused (limit): the sale of 2 tokens pays 4.586211108 credits, your limit is 1000: price moved past limit
refused (funds): you hold 8.9067059 tokens, the sale needs 200: sell less
refused (unknown): artwork r3 has no market: only what is published can be sold
r1: supply 116.8134118, reserve 136.453731764, sales 1
bob: 881.302805554 free, 0 locked, nonce 3
treasury: 4.723462682, fees 3.1, tributes 1.623462682
