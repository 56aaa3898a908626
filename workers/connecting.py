"""What calls Bandwidth and the receivers of webhooks, as the settings have it."""

from config.settings import Settings
from tnimport.bandwidth.transport import Transport
from tnimport.domain.reach import Reach
from tnimport.webhooks.sending import Sender


def transport_of(settings: Settings) -> Transport:
    """What calls Bandwidth."""
    return Transport(ca_file=settings.ca_file)


def sender_of(settings: Settings) -> Sender:
    """What calls receivers of webhooks."""
    return Sender(settings.webhook_secrets, Reach(settings.webhook_allowed), ca_file=settings.ca_file)
