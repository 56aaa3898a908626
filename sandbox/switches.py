"""Everything about the carrier that can be set at start (`SANDBOX_<NAME>`) and while it runs (`/control/switches`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast


def _switch(default: object, meaning: str, *choices: str) -> Any:  # noqa: ANN401 - as dataclasses.field itself
    return field(default=default, metadata={"meaning": meaning, "choices": choices})


@dataclass(slots=True)
class Switches:
    """The settings of the carrier; seconds where not said otherwise, and 0 for a limit means none."""

    # answers
    shape: str = _switch("A", "layout of externalTns answers: A as in the guide, B as from 2018 on", "A", "B")
    dashboard_location: str = _switch("none", "Location of a created order", "none", "relative", "absolute")
    catapult_location: str = _switch(
        "guide",
        "Location of created Catapult resources; guide = relative for applications, absolute for the rest",
        "guide",
        "none",
        "relative",
        "absolute",
    )
    created_content_type: str = _switch(
        "none", "Content-Type of Catapult's empty 201: none, or json as recorded in 2015", "none", "json"
    )
    empty_list_status: str = _switch("404", "answer of an order list without a match", "404", "204")
    failed_numbers_listed: bool = _switch(True, "failed numbers also stand in the list of a finished order")  # noqa: FBT003 - the default of a switch
    latency: float = _switch(0.0, "delay of every answer")
    # orders
    order_delay: float = _switch(1.0, "from the acceptance of an order to its end")
    slow_order_delay: float = _switch(30.0, "the same, for an order that holds a number ending in 0910")
    order_outcome: str = _switch(
        "normal",
        "fate of every new order",
        "normal",
        "stuck-received",
        "stuck-processing",
        "failed",
        "exception",
    )
    bad_site: str = _switch(
        "fail-later", "a wrong site or peer: accepted then FAILED, or refused at once", "fail-later", "refuse"
    )
    feature_off: bool = _switch(False, "the account may not use externalTns: 403 with 25010")  # noqa: FBT003 - the default of a switch
    max_order_size: int = _switch(5000, "most numbers in one order, above it 400 with 5095")
    require_customer_order_id: bool = _switch(True, "an order without CustomerOrderID is refused")  # noqa: FBT003 - the default of a switch
    require_application: bool = _switch(True, "an imported number without applicationId is refused")  # noqa: FBT003 - the default of a switch
    # messages and callbacks
    message_delay: float = _switch(0.2, "from acceptance of a message to sent, and again to delivered")
    callback_delay: float = _switch(0.0, "before each callback or order notification is sent")
    callback_copies: int = _switch(1, "how often each callback is sent; 0 loses them, 2 doubles them")
    callback_timeout: float = _switch(10.0, "longest wait for the answer to a callback before the fallback URL")
    callback_hosts: str = _switch(
        "loopback", "where callbacks may go; other hosts are noted and not called", "loopback", "any"
    )
    # limits
    rate_limits: bool = _switch(True, "whether any of the limits below is kept")  # noqa: FBT003 - the default of a switch
    numbers_per_minute: float = _switch(100.0, "POST phoneNumbers")
    numbers_burst: float = _switch(800.0, "POST phoneNumbers that may come at once")
    lookups_per_second: float = _switch(2000.0, "all other calls on phoneNumbers")
    lookups_burst: float = _switch(3000.0, "of these that may come at once")
    applications_per_second: float = _switch(1.0, "calls on applications")
    messages_per_second: float = _switch(1.0, "POST messages, refused by 403")
    message_reads_per_second: float = _switch(1.0, "GET messages")
    errors_per_second: float = _switch(1.0, "calls on errors")
    dashboard_per_second: float = _switch(0.0, "calls of an account on the Dashboard API")
    limit_headers: bool = _switch(True, "429 names its end in X-RateLimit-Reset")  # noqa: FBT003 - the default of a switch
    # faults
    seed: int = _switch(1, "of the dice behind faults with a probability")
    slow_seconds: float = _switch(5.0, "delay of a slow answer where a fault names none")

    def as_json(self) -> dict[str, Any]:
        """Every switch by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def change(self, values: Mapping[str, object]) -> None:
        """Set all of `values`, or raise ValueError naming every problem and set none."""
        known = {item.name: item for item in fields(self)}
        problems = [f"{name}: no such switch" for name in values if name not in known]
        clean: dict[str, object] = {}
        for name in values.keys() & known.keys():
            try:
                clean[name] = _read(values[name], type(getattr(self, name)), known[name].metadata["choices"])
            except ValueError as problem:
                problems.append(f"{name}: {problem}")
        if problems:
            raise ValueError("; ".join(sorted(problems)))
        for name, value in clean.items():
            setattr(self, name, value)


def from_environment(environment: Mapping[str, str]) -> Switches:
    """The switches with what `SANDBOX_<NAME>` says; ValueError names every value that does not fit."""
    switches = Switches()
    names = {f"SANDBOX_{item.name.upper()}": item.name for item in fields(switches)}
    switches.change({names[key]: value for key, value in environment.items() if key in names})
    return switches


def _read(value: object, kind: type, choices: tuple[str, ...]) -> object:
    if kind is bool:
        return _boolean(value)
    if kind is str:
        text = str(value)
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("must be a number")  # noqa: TRY004 - one kind of error for every bad value
    try:
        number = cast("float", kind(value))
    except OverflowError:
        number = float("inf")
    if not 0 <= number < float("inf"):
        raise ValueError("must be a finite number, 0 or more")
    return number


def _boolean(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError("must be true or false") from None
