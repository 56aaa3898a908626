"""What is on a Dashboard account: numbers in service, sites and SIP peers."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

from tnimport.bandwidth import texts
from tnimport.bandwidth.exchange import Reply
from tnimport.bandwidth.location import query_of
from tnimport.bandwidth.refusals import means_none, refusal, unreadable
from tnimport.bandwidth.xml_body import Node, Unreadable, descendants, parse, value
from tnimport.bandwidth.xml_errors import count, said, said_in, survey

Found = TypeVar("Found")
_TARGET: Final = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class NumberPage:
    """Numbers in service, ten digits each; `next` (opaque) asks for the following page, None = the end."""

    numbers: tuple[str, ...]
    total: int | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site, later called sub-account."""

    site_id: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipPeer:
    """A SIP peer of a site, later called location."""

    peer_id: str
    name: str | None = None
    is_default: bool | None = None


def read_numbers(reply: Reply) -> NumberPage:
    """Return one page of `TNs{TotalCount, Links{first, next}, TelephoneNumbers}` (numbers.yml); 204, 404 = none."""
    if none_listed(reply):
        return NumberPage((), 0)
    root = listed(reply, "tns", "telephonenumbers", "totalcount", "telephonenumber")
    links = next(descendants(root, "links"), None)
    target = _TARGET.search(value(links, "next") or "")
    return NumberPage(survey(root).numbers, count(root), target and query_of(target[1]))


def read_in_service(reply: Reply) -> bool:
    """Return whether a number is on the account: 200, in practice with an empty body, or 404 (numbers.yml)."""
    explained = said(reply)
    if means_none(reply, explained):
        return False
    if not reply.succeeded or explained.code is not None:
        raise refusal(reply, explained, subject="number")
    if explained.foreign:
        raise unreadable(reply, "unreadable_answer")
    return True


def read_site(reply: Reply) -> Site:
    """Return the site of a `SiteResponse`, or raise NotFound."""
    return one(read_sites(reply, subject="site"), reply, "site")


def read_sites(reply: Reply, subject: str | None = None) -> tuple[Site, ...]:
    """Return the sites of a `SitesResponse`."""
    if subject is None and none_listed(reply):
        return ()
    root = listed(reply, "site", "sites", "sitesresponse", subject=subject)
    return tuple(
        Site(site_id=found, name=value(node, "name"))
        for node in descendants(root, "site")
        if (found := value(node, "id", "siteid"))
    )


def read_sip_peer(reply: Reply) -> SipPeer:
    """Return the peer of a `SipPeerResponse`, or raise NotFound."""
    return one(read_sip_peers(reply, subject="sippeer"), reply, "SIP peer")


def read_sip_peers(reply: Reply, subject: str | None = None) -> tuple[SipPeer, ...]:
    """Return the peers of a `TNSipPeersResponse`."""
    if subject is None and none_listed(reply):
        return ()
    root = listed(reply, "sippeer", "sippeers", "tnsippeersresponse", subject=subject)
    return tuple(_peer(node, found) for node in descendants(root, "sippeer") if (found := value(node, "peerid")))


def _peer(node: Node, peer_id: str) -> SipPeer:
    default = {"true": True, "false": False}.get((value(node, "isdefaultpeer") or "").lower())
    return SipPeer(peer_id=texts.clean(peer_id), name=value(node, "peername"), is_default=default)


def none_listed(reply: Reply) -> bool:
    """Tell whether an answer to a listing means "none": 204, or 404 in the API's own words (numbers.yml)."""
    return reply.status == HTTPStatus.NO_CONTENT or (not reply.succeeded and means_none(reply, said(reply)))


def listed(reply: Reply, *names: str, subject: str | None = None) -> Node:
    """Return the root of a successful answer that holds one of the elements, or raise what it means."""
    if not reply.succeeded:
        raise refusal(reply, said(reply), subject=subject)
    try:
        root = parse(reply)
    except Unreadable as problem:
        raise unreadable(reply, str(problem)) from None
    if said_in(root).code is not None:
        raise refusal(reply, said_in(root), subject=subject)
    if next(descendants(root, *names), None) is None:
        raise unreadable(reply, "unreadable_answer", "the answer holds something else")
    return root


def one(found: tuple[Found, ...], reply: Reply, what: str) -> Found:
    """Return the only thing found."""
    if not found:
        raise unreadable(reply, "unreadable_answer", f"the answer holds no {what}")
    return found[0]
