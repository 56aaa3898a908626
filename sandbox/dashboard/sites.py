"""sites and sippeers, read only: what a health check of an account asks for."""

from sandbox.accounts import Account, Peer, Site
from sandbox.call import Call
from sandbox.dashboard.refusals import Refusal
from sandbox.dashboard.xml_out import Element, answer
from sandbox.wire.message import Response


def index(call: Call) -> Response:
    """GET sites."""
    sites: list[Element] = [("Site", [("Id", site.site_id), ("Name", site.name)]) for site in call.account.sites]
    return answer(("SitesResponse", [("Sites", sites)]))


def fetch(call: Call) -> Response:
    """GET sites/{id}; an unknown one is 404 with 12016."""
    site = _site(call.account, call.params["site"])
    return answer(("SiteResponse", [("Site", [("Id", site.site_id), ("Name", site.name)])]))


def peers(call: Call) -> Response:
    """GET sites/{id}/sippeers."""
    site = _site(call.account, call.params["site"])
    return answer(("TNSipPeersResponse", [("SipPeers", [_peer(peer) for peer in site.peers])]))


def fetch_peer(call: Call) -> Response:
    """GET sites/{id}/sippeers/{id}; an unknown one is 400 with 13563."""
    site = _site(call.account, call.params["site"])
    wanted = call.params["peer"]
    for peer in site.peers:
        if peer.peer_id == wanted:
            return answer(("SipPeerResponse", [_peer(peer)]))
    text = f"Sip Peer '{wanted}' account '{call.account.account_id}' and site '{site.site_id}' does not exist"
    raise Refusal(400, "13563", text)


def _site(account: Account, wanted: str) -> Site:
    site = account.site(wanted)
    if site is None:
        raise Refusal(404, "12016", f"Site '{wanted}' does not exist")
    return site


def _peer(peer: Peer) -> Element:
    return (
        "SipPeer",
        [
            ("PeerId", peer.peer_id),
            ("PeerName", peer.name),
            ("IsDefaultPeer", "true" if peer.is_default else "false"),
        ],
    )
