"""Does Bandwidth let each account in on both APIs, and are its defaults there?"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from config.accounts import AccountAccess
from config.settings import Settings
from tnimport.bandwidth.catapult import Catapult
from tnimport.bandwidth.dashboard import Dashboard
from tnimport.bandwidth.errors import AccountFault, CarrierError, NotFound, Permanent
from tnimport.bandwidth.transport import Transport
from tnimport.domain.reasons import reason_for
from workers.checkups.finding import Finding, fault, misset, ok, warning

SECONDS: Final = 10.0
Answer = TypeVar("Answer")


def check(settings: Settings, transport: Transport) -> Iterator[Finding]:
    """One cheap GET a thing, for each account; nothing is changed there."""
    for name in sorted(settings.accounts):
        access = settings.accounts[name]
        dashboard = Dashboard(settings.dashboard_url, access.dashboard, transport)
        catapult = Catapult(settings.catapult_url, access.catapult, access.dashboard, transport)
        yield from _dashboard(f"account {name}", access, dashboard, settings.dashboard_url)
        yield from _catapult(f"account {name}", access, catapult, settings.catapult_url)


def _dashboard(area: str, access: AccountAccess, dashboard: Dashboard, url: str) -> Iterator[Finding]:
    site_id, peer_id = access.account.site_id, access.account.sip_peer_id
    user = _settings(access, "account_id, dashboard_username and dashboard_password")
    found = _asked(area, "the Dashboard", url, lambda: dashboard.list_sites(SECONDS), user)
    if isinstance(found, Finding):
        yield found
        return
    yield ok(area, "the Dashboard lets it in")
    sites = {site.site_id for site in found}
    if site_id is None:
        text = f"has no default site; each import must name one of {', '.join(sorted(sites)) or 'none'}"
        yield warning(area, text, _settings(access, "site_id"))
    elif site_id not in sites:
        yield misset(
            area, f"has no site {site_id}; there are: {', '.join(sorted(sites))}", _settings(access, "site_id")
        )
    else:
        yield ok(area, f"site {site_id} is there")
        yield from _peer(area, access, dashboard, site_id, peer_id)


def _peer(
    area: str, access: AccountAccess, dashboard: Dashboard, site_id: str, peer_id: str | None
) -> Iterator[Finding]:
    try:
        peers = {peer.peer_id: peer for peer in dashboard.list_sip_peers(site_id, SECONDS)}
    except CarrierError as error:
        yield fault(area, f"its SIP peers cannot be listed ({error.code})", reason_for(error.code).fix)
        return
    if peer_id is not None and peer_id not in peers:
        text = f"site {site_id} has no SIP peer {peer_id}; there are: {', '.join(sorted(peers)) or 'none'}"
        yield misset(area, text, _settings(access, "sip_peer_id"))
    elif not peers:
        yield misset(area, f"site {site_id} has no SIP peer at all", "create a SIP peer (location) in the Dashboard")
    else:
        yield ok(area, f"SIP peer {peer_id} is there" if peer_id else f"site {site_id} has a SIP peer")


def _catapult(area: str, access: AccountAccess, catapult: Catapult, url: str) -> Iterator[Finding]:
    user = _settings(access, "catapult_user_id, catapult_token and catapult_secret")
    found = _asked(area, "Catapult", url, lambda: catapult.list_applications(SECONDS, size=1), user)
    if isinstance(found, Finding):
        yield found
        return
    yield ok(area, "Catapult lets it in")
    application_id = access.account.application_id
    if application_id is None:
        return
    try:
        catapult.get_application(application_id, SECONDS)
    except NotFound:
        yield misset(area, f"has no application {application_id}", _settings(access, "application_id"))
    except CarrierError as error:
        yield fault(area, f"application {application_id} cannot be read ({error.code})", reason_for(error.code).fix)
    else:
        yield ok(area, f"application {application_id} is there")


def _asked(area: str, api: str, url: str, ask: Callable[[], Answer], mend: str) -> Answer | Finding:
    try:
        return ask()
    except (AccountFault, Permanent) as error:
        return misset(area, f"{api} refuses it ({error.code}): {reason_for(error.code).cause}", mend)
    except CarrierError as error:
        return fault(area, f"{api} at {url} does not answer well ({error.code})", reason_for(error.code).fix)


def _settings(access: AccountAccess, names: str) -> str:
    return f"set {names} of the account {access.account.name} (docs/settings.md), then start the workers anew"
