"""A dispatcher that sends every message twice: `python -m tests.torture.doubling`."""

from tnimport.ledger.claims.grants import Grant
from workers import dispatcher
from workers.publisher import Publisher


class Twice(Publisher):
    """What a broker does to a message whose acknowledgement was lost."""

    def _send(self, grant: Grant, producer: object) -> None:
        super()._send(grant, producer)
        super()._send(grant, producer)


if __name__ == "__main__":
    dispatcher.Publisher = Twice  # type: ignore[misc]  # the one name that is replaced
    dispatcher.main()
