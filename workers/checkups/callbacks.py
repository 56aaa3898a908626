"""Can Bandwidth reach us? What we can see of it: whether our public address leads to a web process of ours."""

from collections.abc import Iterator
from typing import Final

import requests

from workers.checkups.finding import Finding, fault, ok, warning

AREA: Final = "callbacks"
SECONDS: Final = 5.0


def check(public_url: str | None) -> Iterator[Finding]:
    """Whether /livez answers at the address that callbacks are sent to."""
    if public_url is None:
        text = "there is no public address: orders are polled, and inbound messages do not arrive"
        yield warning(AREA, text, "set TNIMPORT_PUBLIC_URL to the address at which Bandwidth reaches the web process")
        return
    url = f"{public_url}/livez"
    try:
        answer = requests.get(url, timeout=SECONDS)
        ours = answer.status_code == requests.codes.ok and answer.json().get("status") == "ok"
        said = f"answers {answer.status_code}, and not as our web process does"
    except (requests.RequestException, ValueError, AttributeError) as error:
        ours, said = False, f"does not answer as our web process does ({type(error).__name__})"
    if ours:
        yield ok(AREA, f"{url} leads to our web process")
    else:
        fix = "start the web process, mend the proxy in front of it, or set TNIMPORT_PUBLIC_URL right"
        yield fault(AREA, f"{url} {said}", fix)
