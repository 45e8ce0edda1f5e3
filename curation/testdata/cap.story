# Each layer is one more key to open. At eight, somebody who has opened the artist seals
# it from scratch; nobody else may, and nothing else.

rotate 7
show model 8
----
43 key epoch 2: 2 layers of member 1 is proven, around key epoch 1
76 key epoch 3: 3 layers of member 4 is proven, around key epoch 2
109 key epoch 4: 4 layers of member 4 is proven, around key epoch 3
142 key epoch 5: 5 layers of member 1 is proven, around key epoch 4
175 key epoch 6: 6 layers of member 2 is proven, around key epoch 5
208 key epoch 7: 7 layers of member 3 is proven, around key epoch 6
241 key epoch 8: 8 layers of member 4 is proven, around key epoch 7
key epoch 8: proven "dusk" of member 4, base 7, 8 layers, stored by [4 1 2], before 7, 1 approved, opened by [3 2], ""

wait 30
show turns
----
251 round.opened round=8 candidates=596f3f… back_until=256 open_until=261
256 artwork.declined rid=596f3f… cid=bafkreigl3gupwllolwrlvpbru2jlhcues6ioddka4lztfyuayrggitxdcm round=8 rank=1 score=0 backing=0 refund=100 reason="nobody backed it"
256 round.settled round=8 published= backing=0 treasury_tribute=0 maker_tribute=0
267 rotation.due key_epoch=8 layers=8 order=3,2
turns: [3 2]

rotator rotates base 8
m1 rotates
m2 rotates
m3 rotates
m4 rotates
show model 9
----
refused (wrong phase): key epoch 8 has 8 layers, the most there may be: it is to be sealed from scratch
refused (not member): member 1 is not among those who may end key epoch 8
model.rotated key_epoch=9 base=0 layers=1 container=bafkreiceywn2fnddyvikyiatwf5wibytfrrv7r3wsl52xd4s2qxwtcvizi member=2 until=311
model.stored key_epoch=9 member=2 stored=1 needed=3
refused (duplicate): key epoch 9 is proposed already: wait until members have stored it
refused (duplicate): key epoch 9 is proposed already: wait until members have stored it
key epoch 9: proposed "dusk" of member 2, base 0, 1 layer, stored by [2], before 0, 0 approved, opened by [], ""

m1 stores 9
m2 stores 9
m3 stores 9
m4 stores 9
----
model.stored key_epoch=9 member=1 stored=2 needed=3
refused (duplicate): member 2 has told already that it has the container of key epoch 9
model.stored key_epoch=9 member=3 stored=3 needed=3
model.current key_epoch=9 model=458386… layers=1 before=8
refused (duplicate): key epoch 9 is on trial already

rotate 1
show model 10
----
310 key epoch 10: 2 layers of member 2 is proven, around key epoch 9
key epoch 10: proven "dusk" of member 2, base 9, 2 layers, stored by [2 1 3], before 9, 1 approved, opened by [1 4], ""
