# Transfers, nonces and fees. A transfer costs 0.001 credits here.

alice sends 10 to bob
bob sends 1010 to carol      # more than it has: pays the fee, moves nothing
carol sends 1 to carol
show account alice
show account bob
show account carol
show treasury
----
account.sent from=alice to=bob amount=10
refused (funds): needs 1010000000000, balance 1009999000000
account.sent from=carol to=carol amount=1
alice: 989.999 free, 0 locked, nonce 1
bob: 1009.999 free, 0 locked, nonce 1
carol: 999.999 free, 0 locked, nonce 1
treasury: 0.003, fees 0.003, tributes 0

# The same bytes again, a nonce from the future, a deadline in the past and a
# transaction for another chain change nothing and cost nothing.

alice repeats
bob sends 1 to alice nonce 7
carol sends 1 to alice until 3
dave sends 1 to alice chain other
show account alice
show account carol
show treasury
----
refused (nonce): nonce 0, the account's next is 1
refused (nonce): nonce 7, the account's next is 1
refused (expired): valid until height 3, this is 9
refused (signature): signature does not match body, signer dave and chain e2e270…
alice: 989.999 free, 0 locked, nonce 1
carol: 999.999 free, 0 locked, nonce 1
treasury: 0.003, fees 0.003, tributes 0

# Three of one account in one block, in order; the refused one uses up its nonce.

alice sends 1 to bob
alice sends 5000 to bob
alice sends 1 to bob
show account alice
----
account.sent from=alice to=bob amount=1
refused (funds): needs 5000000000000, balance 988997000000
account.sent from=alice to=bob amount=1
alice: 987.996 free, 0 locked, nonce 4

# An account that the ledger has not seen can receive, and sends once it has.

m1 sends 1 to alice
alice sends 2 to m1
m1 sends 1 to dave
m1 sends 1 to dave
show account m1
----
refused (funds): fee 1000000, balance 0
account.sent from=alice to=m1 amount=2
account.sent from=m1 to=dave amount=1
refused (funds): needs 1000000000, balance 998000000
m1: 0.998 free, 0 locked, nonce 8
