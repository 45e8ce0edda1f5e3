# Without a version of the taste, a request without a prompt is drawn plainly. Three
# of four members make a version, and a member's record that differs stays visible.

alice requests
m1 records version 0
m2 records version 0 as other
m3 records version 0 lexicon others
bob records version 0
m1 records version 0
m1 records version 1 round 1
show prior r1
show taste 0
----
artwork.requested rid=r1 account=alice prompt= model=458386… expiry=48 readers=1,2,3,4
taste.recorded version=0 round=0 member=1 prior=a7937b… lexicon=dba36b… agreed=1 needed=3
taste.recorded version=0 round=0 member=2 prior=d9298a… lexicon=dba36b… agreed=1 needed=3
taste.recorded version=0 round=0 member=3 prior=a7937b… lexicon=01db91… agreed=1 needed=3
refused (not member): account bob is not a member: only members may do this
refused (duplicate): member 1 has recorded version 0 already
refused (wrong phase): version 0 of the taste is not adopted yet: record that first
r1 is drawn from 000000…
version 0 of round 0: 000000…, adopted at 0, recorded by m1 as a7937b… m2 as d9298a… m3 as a7937b…; otherwise by []

# A member may correct its record until the version is adopted, and not afterwards.

m2 records version 0
m2 records version 0
m3 records version 0 as other
m4 records version 0
m4 records version 0 as other
m3 records version 0
bob requests
carol requests "red heart"
show prior r2
show prior r3
show taste 0
----
taste.recorded version=0 round=0 member=2 prior=a7937b… lexicon=dba36b… agreed=2 needed=3
refused (duplicate): member 2 has recorded version 0 already
taste.recorded version=0 round=0 member=3 prior=d9298a… lexicon=dba36b… agreed=1 needed=3
taste.recorded version=0 round=0 member=4 prior=a7937b… lexicon=dba36b… agreed=3 needed=3
taste.adopted version=0 round=0 prior=a7937b… lexicon=dba36b…
refused (duplicate): member 4 has recorded version 0 already
refused (duplicate): member 3 has recorded version 0 already
artwork.requested rid=r2 account=bob prompt= model=458386… expiry=49 readers=1,2,3,4
artwork.requested rid=r3 account=carol prompt="red heart" model=458386… expiry=49 readers=1,2,3,4
r2 is drawn from a7937b…
r3 is drawn from 000000…
version 0 of round 0: a7937b…, adopted at 9, recorded by m1 as a7937b… m2 as a7937b… m3 as d9298a… m4 as a7937b…; otherwise by [3]

# The next version comes from the next settled round, which there is not yet.

m1 records version 1 round 1 as second
m2 records version 2 round 1 as second
m1 certifies r1
m1 certifies r2
m1 certifies r3
----
refused (wrong phase): no round has been settled yet from which version 1 of the taste could learn
refused (wrong phase): version 1 of the taste is not adopted yet: record that first
approval.certified rid=r1 certificate=901b88… seed=709c6c… order=4,1,3,2
approval.certified rid=r2 certificate=95b61f… seed=d6d8c1… order=1,3,2,4
approval.certified rid=r3 certificate=a07801… seed=bd6562… order=4,3,1,2

generator registers r1
generator registers r2
generator registers r3
----
artwork.registered rid=r1 cid=folder-r1 pixel_root=pixels-r1 generator=4
artwork.registered rid=r2 cid=folder-r2 pixel_root=pixels-r2 generator=1
artwork.registered rid=r3 cid=folder-r3 pixel_root=pixels-r3 generator=4

auditor attests r1
auditor attests r2
auditor attests r3
----
artwork.attested rid=r1 cid=folder-r1 pixel_root=pixels-r1 auditor=1
model.proven key_epoch=1 openers=4,1
artwork.attested rid=r2 cid=folder-r2 pixel_root=pixels-r2 auditor=3
artwork.attested rid=r3 cid=folder-r3 pixel_root=pixels-r3 auditor=3
12 round.opened round=1 candidates=r1,r2,r3 back_until=17 open_until=22

wait 5
----
17 artwork.declined rid=r1 cid=folder-r1 round=1 rank=1 score=0 backing=0 refund=100 reason="nobody backed it"
17 artwork.declined rid=r2 cid=folder-r2 round=1 rank=2 score=0 backing=0 refund=100 reason="nobody backed it"
17 artwork.declined rid=r3 cid=folder-r3 round=1 rank=3 score=0 backing=0 refund=100 reason="nobody backed it"
17 round.settled round=1 published= backing=0 treasury_tribute=0 maker_tribute=0

# It learns from that round, with the lexicon of version 0, and is a file of its own.

m1 records version 1 round 2 as second
m1 records version 1 round 1 as second lexicon others
m1 records version 1 round 1 as first
m1 records version 1 round 1 as second
m2 records version 1 round 1 as second
dave requests
show prior r4
----
refused (unknown): version 1 of the taste learns from round 1, not from round 2
refused (unknown): the network's lexicon is dba36b…, as version 0 has it: compute version 1 with that
refused (duplicate): file a7937b… is version 0 of the taste: no two are the same
taste.recorded version=1 round=1 member=1 prior=16367a… lexicon=dba36b… agreed=1 needed=3
taste.recorded version=1 round=1 member=2 prior=16367a… lexicon=dba36b… agreed=2 needed=3
artwork.requested rid=r4 account=dave prompt= model=458386… expiry=58 readers=1,2,3,4
r4 is drawn from a7937b…

# The one in force is told to whoever is late; what was before it is closed.

m3 records version 1 round 1 as second
dave requests
m4 records version 1 round 1 as third
m4 records version 1 round 1 as second
m4 records version 0 as first
m1 records version 2 round 1 as third
show prior r5
show taste 1
----
taste.recorded version=1 round=1 member=3 prior=16367a… lexicon=dba36b… agreed=3 needed=3
taste.adopted version=1 round=1 prior=16367a… lexicon=dba36b…
artwork.requested rid=r5 account=dave prompt= model=458386… expiry=59 readers=1,2,3,4
taste.recorded version=1 round=1 member=4 prior=b1e993… lexicon=dba36b… agreed=1 needed=3
refused (duplicate): member 4 has recorded version 1 already
refused (wrong phase): version 1 of the taste is in force: what was before it is closed
refused (wrong phase): no round has been settled yet from which version 2 of the taste could learn
r5 is drawn from 16367a…
version 1 of round 1: 16367a…, adopted at 19, recorded by m1 as 16367a… m2 as 16367a… m3 as 16367a… m4 as b1e993…; otherwise by [4]
