# What can go wrong between a request and a candidate. A request lives 40 blocks,
# turns are 4 blocks, an account may have 3 requests open.

alice requests "one"
alice requests "two"
alice requests "three"
alice requests "four"
bob requests "five"
show account alice
----
artwork.requested rid=r1 account=alice prompt=one model=458386… expiry=48 readers=1,2,3,4
artwork.requested rid=r2 account=alice prompt=two model=458386… expiry=48 readers=1,2,3,4
artwork.requested rid=r3 account=alice prompt=three model=458386… expiry=48 readers=1,2,3,4
refused (limit): the account has 3 open requests, the most that one may have: wait until one is made or has expired
artwork.requested rid=r4 account=bob prompt=five model=458386… expiry=48 readers=1,2,3,4
alice: 696 free, 300 locked, nonce 4

# A certificate is for one request only; so is a seed.

m2 certifies r1 for r2
m3 certifies r9 for r1
m1 certifies r1 by m2,m3,m4
bob certifies r2                # anybody may bring it, for a fee
show account bob
----
refused (proof): verify signature: proof does not hold: certificate refused
refused (unknown): there is no request 090000…
approval.certified rid=r1 certificate=b66a75… seed=e6e336… order=1,3,4,2
approval.certified rid=r2 certificate=996da4… seed=3facc0… order=2,4,3,1
bob: 898.99 free, 100 locked, nonce 2

# Nobody but the drawn generator may register, and only in its turn; outsiders and
# unapproved requests have no turn at all.

generator2 registers r1
generator registers r1
bob registers r1
m1 registers r3
m1 registers r9
----
refused (wrong phase): it is not yet member 3's turn to generate r1
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=1
refused (not member): account bob is not a member: only members may do this
refused (wrong phase): artwork r3 is requested, not yet approved
refused (unknown): there is no request 090000…

# A turn that passes lets the next one in and does not shut the first one out.

wait 4
----

generator2 registers r1
generator3 registers r2
generator2 registers r2
generator registers r2
----
refused (duplicate): artwork r1 is registered already
refused (wrong phase): it is not yet member 3's turn to generate r2
artwork.registered rid=r2 cid=folder-r2 pixel_root=pixels-r2 generator=4
refused (duplicate): artwork r2 is registered already

auditor2 attests r1 root other
auditor attests r1 root other
auditor2 attests r1 root other
auditor2 attests r2
generator2 attests r2
auditor attests r2
----
artwork.disputed rid=r1 cid=folder-r1 pixel_root=pixels-r1 audited_root=bb0000… generator=1 auditor=4 refund=100
refused (duplicate): artwork r1 is disputed already
refused (duplicate): artwork r1 is disputed already
refused (wrong phase): it is not yet member 3's turn to audit r2
refused (not member): member 4 may not audit r2
artwork.attested rid=r2 cid=folder-r2 pixel_root=pixels-r2 auditor=2
model.proven key_epoch=1 openers=4,2

show artwork r1
show artwork r2
show account alice
----
r1: disputed, order [1 3 4 2], generator 1, auditor 4, backing 0 by 0, "the auditor rendered other pixels"
r2: candidate, order [2 4 3 1], generator 4, auditor 2, backing 0 by 0, ""
alice: 796 free, 200 locked, nonce 4

# What is left waits in vain: r3 and r4 for a certificate.

wait 40
show artwork r3
show account alice
show account bob
----
26 round.opened round=1 candidates=r2 back_until=31 open_until=36
31 artwork.declined rid=r2 cid=folder-r2 round=1 rank=1 score=0 backing=0 refund=100 reason="nobody backed it"
31 round.settled round=1 published= backing=0 treasury_tribute=0 maker_tribute=0
36 rotation.due key_epoch=1 layers=1 order=3,1,2,4
48 artwork.expired rid=r3 status=requested reason="no certificate in time" refund=100
48 artwork.expired rid=r4 status=requested reason="no certificate in time" refund=100
r3: expired, order [], generator 0, auditor 0, backing 0 by 0, "no certificate in time"
alice: 996 free, 0 locked, nonce 4
bob: 998.98 free, 0 locked, nonce 3

m1 certifies r3
m1 attests r1
----
refused (wrong phase): request r3 has expired: ask again
refused (duplicate): artwork r1 is disputed already

# Requests take a prekey of each member that has one, and need two readers.

alice requests "six"
alice requests "seven"
alice requests "eight"
bob requests "nine"
bob requests "ten"
show account bob
----
artwork.requested rid=r5 account=alice prompt=six model=458386… expiry=98 readers=1,2,3,4
artwork.requested rid=r6 account=alice prompt=seven model=458386… expiry=98 readers=1,2,3,4
artwork.requested rid=r7 account=alice prompt=eight model=458386… expiry=98 readers=1,2,3,4
artwork.requested rid=r8 account=bob prompt=nine model=458386… expiry=98 readers=1,2,3,4
refused (wrong phase): a request takes a reader key of 3 members, 0 have one left: ask again in a few blocks
bob: 896.98 free, 100 locked, nonce 5

m1 refills 33
m1 refills 2
bob refills 1
alice requests "six again"
----
refused (limit): 33 prekeys would wait, the most is 32: send fewer
refused (duplicate): prekeys from number 41 on, the next is 8
refused (not member): account bob is not a member: only members may do this
refused (limit): the account has 3 open requests, the most that one may have: wait until one is made or has expired

m2 refills 1
m3 refills 1
----
member.prekeys member=2 added=1 waiting=1
member.prekeys member=3 added=1 waiting=1

alice requests "six again"
carol requests "eleven"
show account carol
----
refused (limit): the account has 3 open requests, the most that one may have: wait until one is made or has expired
refused (wrong phase): a request takes a reader key of 3 members, 2 have one left: ask again in a few blocks
carol: 999 free, 0 locked, nonce 1
