# Three of four members vote for a plan by which they train the artist together. It is
# about the current artist, and there is one training of a number.

m1 trains 1
m2 trains 1
m1 trains 1
m1 trains 2
m4 trains 1 model another
alice trains 1
m4 trains 1 steps 99
----
training.proposed motion=825e7b… training=1 model=458386… until=86407
motion.vote motion=825e7b… member=1 votes=1 threshold=3
motion.vote motion=825e7b… member=2 votes=2 threshold=3
refused (duplicate): member 1 has voted for this already
refused (wrong phase): the plan is of training 2, the next is 1: plan that
refused (unknown): model 448386… is not the current one, 458386…: plan a training of that
refused (not member): account alice is not a member: only members may do this
training.proposed motion=3e2763… training=1 model=458386… until=86407
motion.vote motion=3e2763… member=4 votes=1 threshold=3

m3 trains 1
m4 trains 1 steps 99
m4 trains 2
m1 joins 1
show training
----
motion.vote motion=825e7b… member=3 votes=3 threshold=3
training.opened training=1 rid=148245… model=458386… votes=1,2,3 until=28 readers=1,2,3,4
motion.settled motion=3e2763… votes=1 member=0
refused (wrong phase): training 1 is approving: propose the next one when it has ended
refused (wrong phase): training 1 is approving: propose the next one when it has ended
refused (wrong phase): training 1 is approving: it does not take this now
training 1: approving until 28, joined 0, trainers [], counted [], sealers [], key epochs [], adopted 0, failed [], ""

# The members certify it, as they do a request: their certificate lets those who are in
# its table open the artist.

alice requests "one"
----
artwork.requested rid=r1 account=alice prompt=one model=458386… expiry=50 readers=1,2,3,4

alice certifies t1 for r1
m1 certifies t1
m3 certifies t1
alice joins 1
m1 joins 1
m2 joins 1 opened another
m2 joins 1
show training
show model 1
----
refused (proof): verify signature: proof does not hold: certificate refused
approval.certified rid=148245… certificate=977fbb… seed=e92749… order=2,4,1,3
refused (duplicate): training 1 is joining already
refused (not member): account alice is not a member: only members may do this
training.joined training=1 member=1 reader=28dd71… joined=1 readers=4
training.joined training=1 member=2 reader=29dd71… joined=2 readers=4
refused (duplicate): member 2 has joined training 1 already
training 1: joining until 28, joined 2, trainers [], counted [], sealers [], key epochs [], adopted 0, failed [], ""
key epoch 1: on trial "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [], ""

# Member 2 has opened something else, so the others are the trainers. Who has joined may
# be all there are, or the time may be over.

m3 joins 1
m4 joins 1
show training
show model 1
----
training.joined training=1 member=3 reader=28dd71… joined=3 readers=4
training.joined training=1 member=4 reader=28dd71… joined=4 readers=4
12 training.missed training=1 member=2 reason="joined with another commitment to the artist than most"
12 training.phase training=1 phase=advertise trainers=1,3,4 deadline=18
12 model.proven key_epoch=1 openers=4,3,1
training 1: summing until 18, joined 4, trainers [1 3 4], counted [], sealers [4 1 3], key epochs [], adopted 0, failed [2], ""
key epoch 1: proven "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [4 3 1], ""

# The trainers' machines do the rest: keys, shares of secrets, and, after they have
# trained, what they learned under masks. All three are needed here.

speak m1 m3 m4
speak m1 m3 m4
wait 2
----
training.message training=1 member=1 message=key
training.message training=1 member=3 message=key
training.message training=1 member=4 message=key
13 training.phase training=1 phase=share trainers=1,3,4 deadline=19
training.message training=1 member=1 message=shares
training.message training=1 member=3 message=shares
training.message training=1 member=4 message=shares
14 training.phase training=1 phase=dispute trainers=1,3,4 deadline=16
16 training.phase training=1 phase=input trainers=1,3,4 deadline=22

speak m1 m3 m4
speak m1 m3 m4
speak m1 m3 m4
speak m1 m3 m4
show training
----
training.message training=1 member=1 message=input
training.message training=1 member=3 message=input
training.message training=1 member=4 message=input
17 training.phase training=1 phase=confirm trainers=1,3,4 deadline=23
training.message training=1 member=1 message=confirmation
training.message training=1 member=3 message=confirmation
training.message training=1 member=4 message=confirmation
18 training.phase training=1 phase=unmask trainers=1,3,4 deadline=24
training.message training=1 member=1 message=unmasking
training.message training=1 member=3 message=unmasking
training.message training=1 member=4 message=unmasking
19 training.phase training=1 phase=result trainers=1,3,4 deadline=25
training.message training=1 member=1 message=result
training.message training=1 member=3 message=result
training.message training=1 member=4 message=result
20 training.summed training=1 sum=97f72a… counted=1,3,4 order=4,1,3 until=59
training 1: sealing until 59, joined 4, trainers [1 3 4], counted [1 3 4], sealers [4 1 3], key epochs [], adopted 0, failed [2], ""

# The first in the seed's order seals what came of it; here it seals a lie. After its turn
# the next one may seal another artist, and the members vote.

trainer2 seals dawn training 1
m2 seals dawn training 1
trainer seals lie training 1
trainer seals noon training 1
show training
----
refused (wrong phase): it is not yet member 1's turn to seal what came of training 1
refused (not member): member 2 is no trainer in training 1
training.sealed training=1 key_epoch=2 plain_hash=02a693… member=4
model.nominated motion=1a5648… model=f22928… name="dusk, training 1" key_epoch=2 container=bafkreih3tthzuyqpkft7xrfzqzio7666wpixp2uewf3lg3l2lswxk2g3rq plain_hash=02a693… member=4 until=86420
motion.vote motion=1a5648… member=4 votes=1 threshold=3
refused (duplicate): member 4 has sealed for training 1 already, key epoch 2
training 1: voting until 86420, joined 4, trainers [1 3 4], counted [1 3 4], sealers [4 1 3], key epochs [2], adopted 0, failed [2], ""

wait 4
----

trainer2 seals dawn training 1
trainer3 seals dawn training 1
show training
----
training.sealed training=1 key_epoch=3 plain_hash=b04293… member=1
model.nominated motion=ff7133… model=c937ca… name="dusk, training 1" key_epoch=3 container=bafkreiabejsmtcbbvlhatatdj5ohz7tt43ginfofxpnwvsqbesfpxs5owi plain_hash=b04293… member=1 until=86425
motion.vote motion=ff7133… member=1 votes=1 threshold=3
refused (wrong phase): it is not yet member 3's turn to seal what came of training 1
training 1: voting until 86425, joined 4, trainers [1 3 4], counted [1 3 4], sealers [4 1 3], key epochs [2 3], adopted 0, failed [2], ""

m2 adopts 3
m3 adopts 3
m4 adopts 3
m1 adopts 3
m1 adopts 2
show training
show model 2
show model 3
----
motion.vote motion=ff7133… member=2 votes=2 threshold=3
motion.vote motion=ff7133… member=3 votes=3 threshold=3
model.adopted key_epoch=3 model=c937ca… votes=1,2,3 until=66
model.stored key_epoch=3 member=1 stored=1 needed=3
training.ended training=1 status=adopted key_epoch=3 reason=
motion.settled motion=1a5648… votes=1 member=0
model.discarded key_epoch=2 member=4 reason="the training that it came of has ended" current=1
refused (duplicate): key epoch 3 is proposed already: there is nothing to vote on
refused (duplicate): key epoch 3 is proposed already: there is nothing to vote on
refused (wrong phase): key epoch 2 was discarded, because the training that it came of has ended: seal the artist again
training 1: adopted until 0, joined 4, trainers [1 3 4], counted [1 3 4], sealers [4 1 3], key epochs [2 3], adopted 3, failed [2], ""
key epoch 2: discarded "dusk, training 1" of member 4, base 0, 1 layer, stored by [4], before 0, 0 approved, opened by [], "the training that it came of has ended"
key epoch 3: proposed "dusk, training 1" of member 1, base 0, 1 layer, stored by [1], before 0, 0 approved, opened by [], ""

m1 stores 3
m4 stores 3
m2 stores 3
show model 1
show keep
----
refused (duplicate): member 1 has told already that it has the container of key epoch 3
model.stored key_epoch=3 member=4 stored=2 needed=3
model.stored key_epoch=3 member=2 stored=3 needed=3
model.current key_epoch=3 model=c937ca… layers=1 before=1
key epoch 1: proven "dusk" of member 1, base 0, 1 layer, stored by [1], before 0, 1 approved, opened by [4 3 1], ""
keep: [1 3]

# The next one comes to nothing: three join in time, who are all needed, and member 3
# gives its key and is gone. Nothing is lost but the time.

m1 trains 2
m2 trains 2
m4 trains 2
----
training.proposed motion=5901cc… training=2 model=c937ca… until=86428
motion.vote motion=5901cc… member=1 votes=1 threshold=3
motion.vote motion=5901cc… member=2 votes=2 threshold=3
motion.vote motion=5901cc… member=4 votes=3 threshold=3
training.opened training=2 rid=d65d17… model=c937ca… votes=1,2,4 until=48 readers=1,2,3,4

m1 certifies t2
----
approval.certified rid=d65d17… certificate=97caee… seed=4a9176… order=1,2,4,3

m1 joins 2
m3 joins 2
m4 joins 2
----
training.joined training=2 member=1 reader=9d6cd7… joined=1 readers=4
training.joined training=2 member=3 reader=9d6cd7… joined=2 readers=4
training.joined training=2 member=4 reader=9d6cd7… joined=3 readers=4

wait 16
----

speak m1 m3 m4
speak m1 m4
wait 6
show training
----
48 training.phase training=2 phase=advertise trainers=1,3,4 deadline=54
48 model.proven key_epoch=3 openers=4,3,1
training.message training=2 member=1 message=key
training.message training=2 member=4 message=key
50 artwork.expired rid=r1 status=requested reason="no certificate in time" refund=100
54 training.missed training=2 member=3 reason="gave no key"
54 training.ended training=2 status=failed key_epoch=0 reason="2 members gave a key, it takes 3: too few members were left"
training 2: failed until 0, joined 3, trainers [1 3 4], counted [], sealers [1 4 3], key epochs [], adopted 0, failed [3], "2 members gave a key, it takes 3: too few members were left"

m2 trains 3
----
training.proposed motion=baf3ab… training=3 model=c937ca… until=86455
motion.vote motion=baf3ab… member=2 votes=1 threshold=3
