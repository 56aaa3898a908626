"""PyPI bandwidth-numbers-sdk: sites, peers, subscriptions, numbers in service, the checker."""

import sys

from bandwidth_numbers import Account, Client

client = Client(url=sys.argv[1] + "/api", account_id="9999999", username="wileCoyote", password="catchThatBird")
account = Account(client=client)

assert [site.name for site in account.sites.list().items] == ["Main office", "Branch office", "Empty office"]
site = account.sites.get("743")
assert site.id == "743" and site.name == "Main office"
peers = site.sip_peers.list().items
assert [peer.peer_name for peer in peers] == ["Default peer", "Second peer"]
assert "9195550202" in account.in_service_numbers.list({"size": 500}).items
assert int(account.in_service_numbers.totals.get().count) >= 1

callback = {"url": "http://127.0.0.1:9/orders", "expiry": "3600"}
made = account.subscriptions.create({"order_type": "externalTns", "callback_subscription": callback})
assert made.id, "the id comes in Location"
assert [one.order_type for one in account.subscriptions.list().items] == ["externalTns"]
made.delete()
assert account.import_tn_checker(["9195550205"]).import_tn_checker_payload.telephone_numbers.telephone_number.items
print("ok")
