"""The web process: `python -m workers.web`."""

import signal
from importlib.metadata import version
from typing import Final

import uvicorn

from tnimport.web.access.keyring import Keyring
from tnimport.web.app import create_app
from tnimport.web.deps import LOOPBACK, WebDeps
from workers.boot import Booted, boot
from workers.heartbeat import Heartbeat

STOP_SECONDS: Final = 10


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    booted = boot("web")
    host, port = booted.settings.web_address
    # uvicorn raises the signal that ended it once more; having stopped as asked is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    application = create_app(_deps(booted))
    heartbeat = Heartbeat(booted.ledger, "web")
    heartbeat.start()
    try:
        uvicorn.run(  # which exits where it cannot listen
            application,
            host=host,
            port=port,
            log_config=None,  # ours is set up, and masks
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            server_header=False,
        )
    finally:
        heartbeat.stop()
        booted.ledger.close()


def _deps(booted: Booted) -> WebDeps:
    # The settings see to it that without keys only this machine can ask.
    path = booted.settings.api_keys_file
    keyring = Keyring(path) if path else None
    return WebDeps(
        ledger=booted.ledger,
        accounts={name: access.account for name, access in booted.settings.accounts.items()},
        max_body=booted.settings.max_body,
        max_rows=booted.settings.max_rows,
        callback_secrets={name: access.callback_secret for name, access in booted.settings.accounts.items()},
        keyring=keyring,
        hosts=None if keyring else LOOPBACK,
        version=version("tnimport"),
    )


if __name__ == "__main__":
    main()
