import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


def test_importing_a_number_that_is_there_sets_it_anew(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    dashboard.finished("9195550001")
    again = dashboard.finished("9195550001", SiteId="744", SipPeerId="303726")
    assert again.text("ProcessingStatus") == "COMPLETE"
    held = sandbox.state("dashboards")["dashboards"]["9999999"]["numbers"]["9195550001"]
    assert held == {"site_id": "744", "sip_peer_id": "303726", "order_id": again.text("OrderId")}


def test_the_same_endpoint_removes(dashboard: Dashboard) -> None:
    dashboard.finished("9195550001")
    assert dashboard.finished("9195550001", Action="REMOVE").text("ProcessingStatus") == "COMPLETE"
    assert dashboard.get("/inserviceNumbers/9195550001").status == 404


@pytest.mark.parametrize(
    ("number", "code"), [("9195550002", "25030"), ("9195550953", "25040"), ("9195550954", "25120")]
)
def test_a_number_that_cannot_be_removed_says_why(dashboard: Dashboard, number: str, code: str) -> None:
    dashboard.finished("9195550001")
    answer = dashboard.finished("9195550001", number, Action="REMOVE")
    assert (answer.text("ProcessingStatus"), answer.text("Errors/Error/Code")) == ("PARTIAL", code)
