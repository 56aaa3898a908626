"""Makes and removes number resources, and counts both."""

from sandbox.carrier import Carrier
from sandbox.catapult.state import CatapultUser, PhoneNumber
from sandbox.ids import resource_id


def add(
    carrier: Carrier,
    user: CatapultUser,
    number: str,
    application_id: str | None,
    *,
    name: str | None = None,
    fallback_number: str | None = None,
) -> PhoneNumber:
    """Give a number (E.164) its resource."""
    resource = PhoneNumber(
        number_id=resource_id("n"),
        number=number,
        application_id=application_id,
        name=name,
        fallback_number=fallback_number,
    )
    user.numbers[resource.number_id] = resource
    user.by_number[number] = resource
    carrier.number_owners[number] = user
    effects = carrier.journal.of(number[2:])
    effects.imports += 1
    effects.resources += 1
    effects.most_resources = max(effects.most_resources, effects.resources)
    return resource


def remove(carrier: Carrier, user: CatapultUser, resource: PhoneNumber) -> None:
    """Take the resource away."""
    del user.numbers[resource.number_id]
    del user.by_number[resource.number]
    carrier.number_owners.pop(resource.number, None)
    effects = carrier.journal.of(resource.number[2:])
    effects.deletes += 1
    effects.resources -= 1
