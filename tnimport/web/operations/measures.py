"""Every metric of `/metrics`, declared once: its name, what it means, its labels, and where its values come from."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tnimport.domain.webhooks import DeliveryState
from tnimport.ledger.reading.gauges import Gauges

APIS: Final = ("dashboard", "catapult")
Values = Mapping[tuple[Any, ...], float]


@dataclass(frozen=True)
class Measure:
    """One metric; a counter's name ends in `_total`.

    `always` are the labels, after the account's, that every account has from the start, with 0: whoever watches for a
    change sees the first one only if something was there before it.
    """

    name: str
    kind: Literal["gauge", "counter"]
    labels: Sequence[str]
    meaning: str
    values: Callable[[Gauges], Values]
    always: Sequence[tuple[str, ...]] = ()

    def metric(self, gauges: Gauges, accounts: Collection[str]) -> Metric:
        """The metric as it is now; `accounts` are those of the settings."""
        family = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        made = family(self.name.removesuffix("_total"), self.meaning, labels=self.labels)
        zeros = {(account, *labels): 0.0 for account in accounts for labels in self.always}
        for labels, value in sorted((zeros | dict(self.values(gauges))).items()):
            made.add_metric([str(label) for label in labels], value)
        return made


def _by_account(values: Mapping[str, float]) -> Values:
    return {(account,): value for account, value in values.items()}


MEASURES: Final = (
    Measure(
        "tnimport_numbers",
        "gauge",
        ("account", "state"),
        "Rows of the imports that the ledger holds, by state; rejected, duplicate and blank are rows that became no "
        "number. Pruning takes finished imports out, when it has finished.",
        lambda gauges: gauges.numbers,
    ),
    Measure(
        "tnimport_unaccounted_numbers",
        "gauge",
        ("account",),
        "Numbers that a finished order tells nothing of: retry them, or ask Bandwidth.",
        lambda gauges: {(a,): count for (a, state), count in gauges.numbers.items() if state == "unaccounted"},
    ),
    Measure(
        "tnimport_imports",
        "gauge",
        ("account", "state"),
        "Imports by state; `held` waits for a person.",
        lambda gauges: gauges.imports,
    ),
    Measure(
        "tnimport_orders",
        "gauge",
        ("account", "state"),
        "Orders by state; `submitting` and `accepted` are at the carrier.",
        lambda gauges: gauges.orders,
    ),
    Measure(
        "tnimport_oldest_order_seconds",
        "gauge",
        ("account",),
        "Seconds since the oldest order that is still at the carrier was sent; absent while none is.",
        lambda gauges: _by_account(gauges.oldest_order),
    ),
    Measure(
        "tnimport_lane_tokens",
        "gauge",
        ("account", "lane"),
        "Calls that the pace allowed at the lane's last use; it fills up unwatched.",
        lambda gauges: {labels: lane.tokens for labels, lane in gauges.lanes.items()},
    ),
    Measure(
        "tnimport_lane_paused_seconds",
        "gauge",
        ("account", "lane"),
        "Seconds for which Bandwidth still asks us to wait (a 429 or a limit).",
        lambda gauges: {labels: lane.paused for labels, lane in gauges.lanes.items()},
    ),
    Measure(
        "tnimport_lane_opened",
        "gauge",
        ("account", "lane"),
        "1 = calls go out at full pace; 0 = one at a time, until one is answered well.",
        lambda gauges: {labels: float(lane.opened) for labels, lane in gauges.lanes.items()},
    ),
    Measure(
        "tnimport_lane_trouble",
        "gauge",
        ("account", "lane"),
        "Calls in a row that failed at the carrier; from 5 on it is probed with one call at a time.",
        lambda gauges: {labels: lane.trouble for labels, lane in gauges.lanes.items()},
    ),
    Measure(
        "tnimport_messages",
        "gauge",
        ("account", "state"),
        "Messages that are not sent, by state; `queued` waits for the pace, `unknown` may have been sent and waits "
        "for a person. Pruning takes old ones out.",
        lambda gauges: gauges.messages,
    ),
    Measure(
        "tnimport_webhooks",
        "gauge",
        ("account", "state"),
        "What others are told (webhooks, and tasks of theirs) and is not delivered, by state; `waiting` is owed, "
        "`failed` was given up after three days and can be replayed.",
        lambda gauges: gauges.webhooks,
        [(state,) for state in DeliveryState if state is not DeliveryState.DELIVERED],
    ),
    Measure(
        "tnimport_oldest_webhook_seconds",
        "gauge",
        ("account",),
        "Seconds for which the oldest webhook that is not delivered yet has waited; absent while none waits.",
        lambda gauges: _by_account(gauges.oldest_webhook),
    ),
    Measure(
        "tnimport_work",
        "gauge",
        ("task", "state"),
        "Pieces of work: `waiting` to be due or for the pace, `sent` to the broker, `running`.",
        lambda gauges: gauges.work,
    ),
    Measure(
        "tnimport_claims_expired_total",
        "counter",
        ("account",),
        "Runs that vanished while they held work: a worker was killed, hung or cut off.",
        lambda gauges: _by_account(gauges.claims_expired),
        [()],
    ),
    Measure(
        "tnimport_calls_total",
        "counter",
        ("account", "api", "status"),
        "Calls to Bandwidth (`dashboard`, `catapult`) by HTTP status; `none` = not answered. Handed in every 10 "
        "seconds; a killed worker loses its last ones.",
        lambda gauges: gauges.calls,
        [(api, status) for api in APIS for status in ("429", "none")],
    ),
    Measure(
        "tnimport_heartbeat_age_seconds",
        "gauge",
        ("process", "host", "pid"),
        "Seconds since a worker, dispatcher or web process showed itself; above 35 it is gone or cut off from the "
        "ledger. One that stops as asked disappears.",
        lambda gauges: gauges.processes,
    ),
    Measure(
        "tnimport_conservation_gap",
        "gauge",
        (),
        "Rows of imports that are in no bucket or in two. Must be 0, always.",
        lambda gauges: {(): gauges.conservation_gap},
    ),
)


def metrics_of(gauges: Gauges, accounts: Collection[str]) -> Iterator[Metric]:
    """Every metric as it is now."""
    for measure in MEASURES:
        yield measure.metric(gauges, accounts)
