"""Whatever is sent, the sandbox answers it on purpose: a 500 would be a fault of its own."""

from string import printable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.clients import Catapult, Dashboard

ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "number",
    "applicationId",
    "provider",
    "name",
    "from",
    "to",
    "text",
    "media",
    "incomingMessageUrl",
    "receiptRequested",
]
BODIES = ANY_JSON | st.dictionaries(st.sampled_from(FIELDS), ANY_JSON | st.just("+19195550001"), max_size=9)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(path=st.sampled_from(["/applications", "/phoneNumbers", "/messages", "/phoneNumbers/x"]), body=BODIES)
def test_any_json_is_answered(catapult: Catapult, path: str, body: object) -> None:
    assert catapult.post(path, body).status in {200, 201, 202, 400, 401, 403, 404, 409}


@SLOW
@given(
    fields=st.dictionaries(st.sampled_from(["CustomerOrderID", "SiteId", "SipPeerId", "Action"]), st.text(printable))
)
def test_any_order_is_answered(dashboard: Dashboard, fields: dict[str, str | None]) -> None:
    assert dashboard.order("9195550001", **fields).status in {201, 400}


@SLOW
@given(path=st.text(printable.replace(" ", "").strip() + "%/", max_size=20), query=st.text("%&=+abc0", max_size=20))
def test_any_path_is_answered(dashboard: Dashboard, catapult: Catapult, path: str, query: str) -> None:
    for api in (dashboard, catapult):
        assert api.get(f"/{path}?{query}").status in {200, 204, 400, 401, 403, 404, 405}
