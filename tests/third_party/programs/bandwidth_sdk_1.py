"""PyPI bandwidth-sdk 1.10.0 (of 2016): the older field names, the trailing slash, strict times."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from bandwidth_sdk import Application, Event, Message, PhoneNumber, RESTClientObject, set_client


class Callbacks(BaseHTTPRequestHandler):
    """What its own parser of events makes of every callback, in either form."""

    events = Queue()

    def do_POST(self):
        self.take(Event.create(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self):
        self.take(Event.create(**dict(parse_qsl(urlsplit(self.path).query))))

    def take(self, event):
        self.events.put(event)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


base, number = sys.argv[1], "+19195550201"
client = RESTClientObject("u-1", ("t-1", "s-1"), endpoint=base)
set_client(client)
server = HTTPServer(("127.0.0.1", 0), Callbacks)
Thread(target=server.serve_forever, daemon=True).start()
ours = f"http://127.0.0.1:{server.server_port}/in"

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

for method in ("post", "get"):
    application.patch(incoming_sms_url=ours, callback_http_method=method)
    back = {"callbackUrl": ours, "callbackHttpMethod": method, "receiptRequested": "all"}
    client.post("messages", data={"from": number, "to": number, "text": "round", **back})
    events = [Callbacks.events.get(timeout=10) for _ in range(3)]
    assert {one.event_type for one in events} == {"sms"} and {one.text for one in events} == {"round"}
    assert sorted((one.direction, one.delivery_state or "") for one in events) == [
        ("in", ""),
        ("out", ""),
        ("out", "delivered"),
    ]
found.delete()
application.delete()
print("ok")
