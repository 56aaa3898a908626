"""The page at /: what the carrier holds and how to provoke it."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Final

from sandbox.carrier import Carrier
from sandbox.scenarios import SCENARIOS

_HEAD: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bandwidth sandbox</title>
<meta http-equiv="refresh" content="2"><meta name="viewport" content="width=device-width">
<style>body{font:14px/1.4 system-ui,sans-serif;margin:2rem;max-width:70rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}th{background:#f4f4f4}</style></head><body>
<h1>Bandwidth sandbox</h1><p>Dashboard API below <code>/api/accounts/</code>, Catapult below <code>/v1/users/</code>.
JSON: <a href="/control/state">state</a>, <a href="/control/calls">calls</a>, <a href="/control/switches">switches</a>,
<a href="/control/faults">faults</a>.</p>
"""
_NEWEST: Final = 20


def page(carrier: Carrier) -> bytes:
    """The page, refreshed by the browser every two seconds."""
    parts = [
        _HEAD,
        _table("Accounts", ("account", "user", "orders", "in service", "imported", "messages"), _accounts(carrier)),
        _table("Newest orders", ("order", "own id", "action", "numbers", "status"), _orders(carrier)),
        _table("Calls", ("endpoint", "status", "count"), _calls(carrier)),
        _table("Switches", ("switch", "value"), carrier.switches.as_json().items()),
        _table(
            "Reserved numbers",
            ("ends in", "concerns", "what happens"),
            ((line, one.stage, one.meaning) for line, one in SCENARIOS.items()),
        ),
        "</body></html>",
    ]
    return "\n".join(parts).encode()


def _table(title: str, heads: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = ["<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows]
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _accounts(carrier: Carrier) -> Iterable[Sequence[object]]:
    for account in carrier.accounts:
        dashboard, user = carrier.dashboards[account.account_id], carrier.users[account.user_id]
        yield (
            account.account_id,
            account.user_id,
            len(dashboard.orders),
            len(dashboard.in_service),
            len(user.numbers),
            len(user.messages),
        )


def _orders(carrier: Carrier) -> Iterable[Sequence[object]]:
    for dashboard in carrier.dashboards.values():
        for order in islice(reversed(dashboard.orders.values()), _NEWEST):
            yield order.order_id, order.customer_order_id, order.action, len(order.numbers), order.status


def _calls(carrier: Carrier) -> Iterable[Sequence[object]]:
    for (endpoint, status), count in sorted(carrier.journal.answers.items()):
        yield endpoint, status or "cut", count
