"""Checks the provider of an import: who brings the number, and whether it is there to be brought."""

from typing import Any

from sandbox.call import Call
from sandbox.catapult.json_in import as_object, text
from sandbox.catapult.problems import Problem, missing


def check_provider(call: Call, fields: dict[str, Any], number: str) -> None:
    """Pass, or raise what an import with this provider deserves. Nothing of the password leaves this function."""
    if "provider" not in fields:
        # Our choice: without a provider Catapult would order a new number; the sandbox sells none.
        raise missing("phoneNumber", "provider")
    provider = as_object(fields["provider"])
    if text(provider, "provider", "providerName") != "bandwidth-dashboard":
        raise service_provider_not_found(str(provider["providerName"])[:40])
    properties = as_object(provider.get("properties") or {})
    account_id = text(properties, "provider", "accountId")
    given = (text(properties, "provider", "userName"), text(properties, "provider", "password"))
    account = call.carrier.account_named(account_id)
    # Our choice: what a failed import is answered with is not documented. Wrong dashboard credentials are a
    # 403 and a number that is not in service there a 404, both with codes of our own invention.
    if account is None or given != (account.username, account.password):
        message = "The service provider did not accept the given credentials"
        raise Problem(403, "forbidden", "service-provider-access-denied", message)
    if number[2:] not in call.carrier.dashboards[account_id].in_service:
        message = f"The number {number} is not available at the service provider"
        raise Problem(404, "not-found", "service-provider-number-not-found", message, ("number", number))


def service_provider_not_found(name: str) -> Problem:
    """404 for a provider that Catapult does not know."""
    message = f"The service provider {name} could not be found"
    return Problem(404, "not-found", "service-provider-not-found", message)
