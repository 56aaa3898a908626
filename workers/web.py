"""The web process: `python -m workers.web`."""

import signal
import sys
from ipaddress import ip_address
from typing import Final

import uvicorn

from tnimport.web.app import create_app
from tnimport.web.deps import WebDeps
from workers.boot import EXIT_CONFIGURATION, boot

STOP_SECONDS: Final = 10


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    booted = boot("web")
    host, port = booted.settings.web_address
    if not is_loopback(host):
        # Keys for the HTTP API are a later version's; until then nobody but this machine may ask.
        sys.stderr.write(f"TNIMPORT_WEB_BIND: {host} is not a loopback address, and the HTTP API has no keys yet.\n")
        raise SystemExit(EXIT_CONFIGURATION)
    # uvicorn raises the signal that ended it once more; having stopped as asked is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    accounts = {name: access.account for name, access in booted.settings.accounts.items()}
    application = create_app(WebDeps(ledger=booted.ledger, accounts=accounts))
    uvicorn.run(
        application,
        host=host,
        port=port,
        log_config=None,  # ours is set up, and masks
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
    )
    booted.ledger.close()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    main()
