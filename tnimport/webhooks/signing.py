"""The headers by which a receiver knows that a webhook is ours, as Standard Webhooks has them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def headers(secrets: Sequence[str], webhook_id: str, at: float, body: str) -> Mapping[str, str]:
    """The three headers of one attempt.

    Args:
        secrets: `whsec_…`; there is a signature for each, so that receivers can change over in their own time.
        webhook_id: the same at every attempt.
        at: when the attempt is made, in seconds since the epoch; receivers refuse what is minutes old.
        body: exactly what is sent.
    """
    when = datetime.fromtimestamp(int(at), UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, when, body) for secret in secrets),
    }
