import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


@pytest.mark.parametrize(
    ("site", "peer", "code"), [("999", "303716", "5016"), ("743", "1", "5023"), ("745", None, "5020")]
)
def test_a_wrong_site_or_peer_is_accepted_and_fails_later_naming_all_numbers(
    dashboard: Dashboard, site: str | None, peer: str | None, code: str
) -> None:
    answer = dashboard.finished("9195550001", "9195550002", SiteId=site, SipPeerId=peer)
    assert (answer.text("ProcessingStatus"), answer.text("Errors/Error/Code")) == ("FAILED", code)
    named = [one.text for one in answer.xml.findall("Errors//TelephoneNumber")]
    assert named == ["9195550001", "9195550002"]


@pytest.mark.parametrize(
    ("site", "peer", "code"), [("999", "303716", "5016"), ("743", "1", "5023"), ("745", None, "5020")]
)
def test_by_switch_it_is_refused_at_once(
    dashboard: Dashboard, sandbox: RunningSandbox, site: str | None, peer: str | None, code: str
) -> None:
    sandbox.switch(bad_site="refuse")
    answer = dashboard.order("9195550001", SiteId=site, SipPeerId=peer)
    assert (answer.status, answer.text("ResponseStatus/ErrorCode")) == (400, code)
    assert answer.xml.tag == "ExternalTnsOrderResponse"


@pytest.mark.parametrize(("site", "code"), [(None, "5022"), ("abc", "5016")])
def test_a_missing_or_unreadable_site_is_always_refused(dashboard: Dashboard, site: str | None, code: str) -> None:
    assert dashboard.order("9195550001", SiteId=site).text("ResponseStatus/ErrorCode") == code


def test_without_a_peer_the_default_one_is_taken(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    dashboard.finished("9195550001", SipPeerId=None)
    held = sandbox.state("dashboards")["dashboards"]["9999999"]["numbers"]
    assert held["9195550001"]["sip_peer_id"] == "303716"


def test_sites_and_peers_can_be_looked_at(dashboard: Dashboard) -> None:
    assert [one.text for one in dashboard.get("/sites").xml.iter("Id")] == ["743", "744", "745"]
    assert dashboard.get("/sites/743/sippeers/303716").text("SipPeer/PeerName") == "Default peer"
    assert len(dashboard.get("/sites/743/sippeers").xml.findall(".//SipPeer")) == 2
    unknown = dashboard.get("/sites/999")
    assert (unknown.status, unknown.text(".//ErrorCode")) == (404, "12016")
    peer = dashboard.get("/sites/743/sippeers/1")
    assert (peer.status, peer.text(".//ErrorCode")) == (400, "13563")


def test_an_account_without_the_feature_is_refused(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(feature_off=True)
    answer = dashboard.order("9195550001")
    assert (answer.status, answer.text(".//ErrorCode")) == (403, "25010")
