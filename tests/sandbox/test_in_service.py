import re

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


@pytest.fixture(autouse=True)
def in_service(sandbox: RunningSandbox) -> None:
    sandbox.put_in_service([*(f"303555000{line}" for line in range(3)), "9195550001"])


def test_the_links_keep_the_filter(dashboard: Dashboard) -> None:
    found, query = [], "areacode=303&size=1&more=a%26b"
    for _ in range(3):
        page = dashboard.get(f"/inserviceNumbers?{query}")
        found.append(page.text(".//TelephoneNumber"))
        links = {one.tag: re.search(r"\?(.*)>", one.text)[1] for one in page.xml.find("Links")}
        assert links["first"] == "areacode=303&more=a%26b&page=1&size=1"
        query = links.get("next", "")
    assert found == ["3035550000", "3035550001", "3035550002"]
    assert query == ""


@pytest.mark.parametrize(
    ("query", "status"),
    [("page=0", 200), ("page=2", 204), ("page=" + "9" * 5000, 204), ("size=" + "9" * 5000, 200)],
)
def test_any_page_can_be_asked_for(dashboard: Dashboard, query: str, status: int) -> None:
    assert dashboard.get(f"/inserviceNumbers?{query}").status == status


@pytest.mark.parametrize("query", ["page=-1", "size=x", "size=%D9%A1"])
def test_a_page_that_is_no_number_is_refused(dashboard: Dashboard, query: str) -> None:
    assert dashboard.get(f"/inserviceNumbers?{query}").text(".//ErrorCode") == "1010"
