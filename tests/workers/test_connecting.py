"""A private authority is trusted by whoever calls Bandwidth and by whoever calls receivers of webhooks."""

from contextlib import closing
from time import time

import pytest

from config.settings import load
from tests.servers.receiver import OURS, Receiver, receiver
from tnimport.bandwidth.errors import RetryLater
from tnimport.bandwidth.exchange import Request
from workers.connecting import sender_of, transport_of

SETTINGS = {
    "TNIMPORT_WEBHOOK_SECRET": "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0LW9mLTMyLWJ5dGVz",
    "TNIMPORT_WEBHOOK_ALLOW": "127.0.0.0/8",
}
TRUSTING = {"TNIMPORT_CA_FILE": str(OURS)}


@pytest.fixture(scope="module")
def somebody():
    """A server whose certificate no usual authority has signed."""
    with receiver(tls=True) as made:
        yield made


def call(somebody: Receiver, **environ: str) -> int:
    request = Request(method="POST", url=somebody.url, headers={}, body=b"")
    with closing(transport_of(load(environ, accounts_needed=False))) as transport:
        return transport.send(request, 5).status


def test_bandwidth_is_called_with_the_authority_of_the_settings(somebody: Receiver) -> None:
    assert call(somebody, **TRUSTING) == 204
    with pytest.raises(RetryLater, match="tls_failure"):
        call(somebody)


@pytest.mark.parametrize(("environ", "told"), [(TRUSTING, (204, None)), ({}, (None, "tls_failure"))])
def test_receivers_are_called_with_the_authority_of_the_settings(
    somebody: Receiver, environ: dict[str, str], told: tuple[int | None, str | None]
) -> None:
    sender = sender_of(load(SETTINGS | environ, accounts_needed=False))
    answer = sender.post(somebody.url, "whk_1", "{}", at=time(), timeout=5)
    assert (answer.status, answer.code) == told
