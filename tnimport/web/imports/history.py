"""What happened to an import, an order or a number, in one plain sentence."""

from collections.abc import Mapping
from typing import Any, Final

_SENTENCES: Final = {
    "import_accepted": "The import was accepted with {rows} rows.",
    "import_paused": "Somebody paused the import.",
    "import_resumed": "Somebody let the import go on.",
    "import_cancel_asked": "Somebody cancelled the import.",
    "import_held": "The import was held ({code}): {instruction}",
    "import_refused": "The import could not go on ({code}): {description}",
    "import_finished": "Nothing of the import was open any longer.",
    "verify_started": "Messages began to go round, to prove the imported numbers.",
    "verify_ended": "The proving of the imported numbers was over.",
    "application_ready": "Its application {application_id} was ready.",
    "application_gone": "Bandwidth did not know the application {application_id} any longer; it is looked for again.",
    "order_sending": "Its order was sent to Bandwidth as {reference}, attempt {attempt}.",
    "order_accepted": "Bandwidth accepted the order as {carrier_order_id}.",
    "order_not_sent": "The order could not be sent ({code}); it is tried again.",
    "order_never_appeared": "The order whose answer was lost never appeared at Bandwidth; it is sent again.",
    "order_waits": "The order waits ({code}).",
    "order_ended": "Bandwidth was done with the order: {status}.",
    "order_withdrawn": "The order ended {status} for a fault of the account ({code}); it will be placed anew.",
    "order_refused": "The order failed.",
    "order_cancelled": "What was left of the order was cancelled.",
    "order_planned": "The order was to be placed.",
    "order_available": "The numbers of the order were ready to be imported.",
    "order_done": "Nothing of the order was open any longer.",
    "number_imported": "The number was imported as {number_id}.",
    "number_present": "The number was at Catapult already, as {number_id}.",
    "number_verified": "The number sent and received a test message: it is verified.",
    "number_unproven": "The number was imported as {number_id}, and not proven to work ({code}): {description}",
    "number_removed": "The number was removed.",
    "number_failed": "The number failed at the stage {stage} ({code}): {description}",
    "number_unaccounted": "The finished order did not tell whether the number was done or failed.",
    "number_cancelled": "The number was cancelled with what was left of the import.",
    "number_again": "The number could not be imported yet ({code}); it is tried again.",
    "claim_expired": "The worker on it vanished; another one takes over.",
}


def told(event: Mapping[str, Any]) -> str:
    """The sentence for an event of the ledger; one of an unknown kind is told by its name."""
    kind = str(event["kind"])
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        return f"{kind.replace('_', ' ').capitalize()}."
    return sentence.format_map(_Known(event))


class _Known(dict[str, Any]):
    """The facts of an event, in which a missing one is a dash."""

    def __missing__(self, key: str) -> str:
        return "-"
