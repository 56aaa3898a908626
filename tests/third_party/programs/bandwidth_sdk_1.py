"""PyPI bandwidth-sdk 1.10.0 (of 2016): the older field names, the trailing slash, strict times."""

import sys

from bandwidth_sdk import Application, Message, PhoneNumber, RESTClientObject, set_client

base, number = sys.argv[1], "+19195550201"
client = RESTClientObject("u-1", ("t-1", "s-1"), endpoint=base)
set_client(client)

application = Application.create(name="sdk 1", incoming_sms_url="http://127.0.0.1:9/in")
assert application.id.startswith("a-"), application.id
application.patch(incoming_sms_fallback_url="http://127.0.0.1:9/fallback")
fresh = Application.get(application.id)
assert fresh.incoming_sms_url == "http://127.0.0.1:9/in" and fresh.callback_http_method == "post"
assert fresh.incoming_sms_fallback_url == "http://127.0.0.1:9/fallback"
assert application.id in [one.id for one in Application.list(page=0, size=1000)]

# This version has no call for an import; its own client object makes one.
provider = {
    "providerName": "bandwidth-dashboard",
    "properties": {"accountId": "9999999", "userName": "wileCoyote", "password": "catchThatBird"},
}
wanted = {"number": number, "applicationId": application.id, "provider": provider}
assert client.post("phoneNumbers", data=wanted).headers["Location"]
found = PhoneNumber.get_number_info(number)
assert found.number == number and found.application.id == application.id
assert found.created_time.year >= 2016 and found.number_state == PhoneNumber.NUMBER_STATES.enabled
assert [one.id for one in PhoneNumber.list(application_id=application.id, number_state="enabled")] == [found.id]
found.patch(name="renamed", application=application)  # without an application its patch() fails by itself
found.refresh()
assert found.name == "renamed"

message = Message.send(sender=number, receiver="+13035550123", text="Good morning")
assert Message.get(message.id).text == "Good morning"
assert [one.text for one in Message.list(sender=number)] == ["Good morning"]
found.delete()
application.delete()
print("ok")
