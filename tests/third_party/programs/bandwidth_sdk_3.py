"""PyPI bandwidth-sdk 3.1.0 (of 2019) through the life of an application, a number and a message."""

import sys

import bandwidth
from bandwidth.account.api_exception_module import BandwidthAccountAPIException

base, number = sys.argv[1], "+19195550200"
account = bandwidth.client("account", "u-1", "t-1", "s-1", api_endpoint=base)
messaging = bandwidth.client("messaging", "u-1", "t-1", "s-1", api_endpoint=base)
provider = {
    "providerName": "bandwidth-dashboard",
    "properties": {"accountId": "9999999", "userName": "wileCoyote", "password": "catchThatBird"},
}


def refused(call, *args, **fields):
    """The error with which the call ends."""
    try:
        call(*args, **fields)
    except BandwidthAccountAPIException as problem:
        return problem
    raise AssertionError("the call was not refused")


application = account.create_application(name="sdk 3", incoming_message_url="http://127.0.0.1:9/in")
assert application.startswith("a-"), application
account.update_application(application, name="sdk 3.1")
assert account.get_application(application)["name"] == "sdk 3.1"
for index in range(4):
    account.create_application(name=f"more {index}", incoming_message_url="http://127.0.0.1:9/in")
assert len(list(account.list_applications(size=2))) == 5  # follows three pages by Link

number_id = account.order_phone_number(number=number, name="one", application_id=application, provider=provider)
assert number_id.startswith("n-"), number_id
found = account.get_phone_number(number_id)
assert found["number"] == number and found["application_id"] == application, found
assert account.get_phone_number(number.replace("+", "%2B"))["id"] == number_id
account.update_phone_number(number_id, name="two")
assert [one["name"] for one in account.list_phone_numbers(application_id=application)] == ["two"]
again = refused(account.order_phone_number, number=number, application_id=application, provider=provider)
assert (again.code, again.status_code) == ("duplicate-number", 409), again

message = messaging.send_message(from_=number, to="+13035550123", text="Good morning")
assert messaging.get_message(message)["text"] == "Good morning"
batch = messaging.send_messages([{"from": number, "to": "+13035550123", "text": "a"}, {"from": "+1", "to": "x"}])
assert [one["result"] for one in batch] == ["accepted", "error"], batch
assert len(list(messaging.list_messages(from_=number, size=1))) == 2  # follows sortKeyLT
assert list(account.list_errors()) == []

account.delete_phone_number(number_id)
account.delete_application(application)
assert refused(account.get_application, application).code == "application-not-found"
print("ok")
