"""Whatever path is asked for, the sandbox answers on purpose: a 500 would be a fault of its own."""

from string import printable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.clients import Catapult, Dashboard


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=st.text(printable.replace(" ", "").strip() + "%/", max_size=20), query=st.text("%&=+abc0", max_size=20))
def test_any_path_is_answered(dashboard: Dashboard, catapult: Catapult, path: str, query: str) -> None:
    for api in (dashboard, catapult):
        assert api.get(f"/{path}?{query}").status in {200, 204, 400, 401, 403, 404, 405}
