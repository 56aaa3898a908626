"""`/metrics` for Prometheus, read from the ledger at each scrape: any one web process tells the whole deployment."""

from collections.abc import Collection, Iterable
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tnimport.ledger.engine import Ledger
from tnimport.ledger.reading import gauges
from tnimport.web.deps import Deps
from tnimport.web.operations.measures import metrics_of

router = APIRouter(tags=["health"])


class _OfLedger(Collector):
    def __init__(self, ledger: Ledger, accounts: Collection[str]) -> None:
        self._ledger = ledger
        self._accounts = accounts

    def collect(self) -> Iterable[Metric]:
        return metrics_of(gauges.look(self._ledger), self._accounts)


_TEXT: Final = {"schema": {"type": "string"}}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": _TEXT, "application/openmetrics-text": _TEXT}}},
)
def metrics(deps: Deps, request: Request) -> Response:
    """What docs/metrics.md lists, as Prometheus or OpenMetrics text. Where there are keys it needs the scope read."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_OfLedger(deps.ledger, deps.accounts))
    encoder, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encoder(registry), media_type=content_type)
