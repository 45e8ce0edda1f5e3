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
refused (funds): balance is 1010 credits, the payment and fee need 1010.001 credits
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
refused (nonce): nonce 0 is used, the account's next is 1: sign again with that
refused (nonce): nonce 7 comes too early, the account's next is 1
refused (expired): valid until height 3, this would be 9: sign again with a later one
refused (signature): signature is not that of account dave for this network, c1fc23…: sign for the network that you mean
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
refused (funds): the payment of 5000 credits is more than the 4000 credits that exist
account.sent from=alice to=bob amount=1
alice: 987.996 free, 0 locked, nonce 4

# An account that the ledger has not seen can receive, and sends once it has.

m1 sends 1 to alice
alice sends 2 to m1
m1 sends 1 to dave
m1 sends 1 to dave
show account m1
----
refused (funds): balance is 0 credits, the fee is 0.001 credits
account.sent from=alice to=m1 amount=2
account.sent from=m1 to=dave amount=1
refused (funds): balance is 0.999 credits, the payment and fee need 1.001 credits
m1: 0.998 free, 0 locked, nonce 8
