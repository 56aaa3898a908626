from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cli.conftest import PlayedApi, Run

FAILED: dict[str, Any] = {
    "id": "whk_1",
    "type": "import.finished",
    "state": "failed",
    "attempts": 10,
    "address": "https://hooks.example/tn?…",
    "description": "The receiver answered 500.",
}
DELIVERED = FAILED | {"id": "whk_2", "state": "delivered", "attempts": 1, "description": None}


def test_webhooks_are_listed_with_why_they_failed(run: Run, api: PlayedApi) -> None:
    api.views = [{"webhooks": [FAILED, DELIVERED], "next_page_token": ""}]
    one, two = run("webhooks").stdout.splitlines()
    assert one.split()[:4] == ["whk_1", "import.finished", "failed", "10"]
    assert one.endswith("(The receiver answered 500)")
    assert two.endswith("https://hooks.example/tn?…")


def test_webhooks_are_asked_for_by_state_and_import(run: Run, api: PlayedApi) -> None:
    api.views = [{"webhooks": [], "next_page_token": ""}]
    assert run("webhooks", "--failed", "--import", "imp-1").stdout == "No webhooks.\n"
    assert (api.asked[0].path, api.asked[0].query) == ("/v1/webhooks", {"state": ["failed"], "import_id": ["imp-1"]})
    assert json.loads(run("webhooks", "--json").stdout)["webhooks"] == []


def test_a_webhook_is_sent_again(run: Run, api: PlayedApi) -> None:
    api.views = [FAILED | {"state": "waiting"}]
    assert run("replay", "whk/1").stdout == "Webhook whk_1: waiting\n"
    assert (api.asked[0].method, api.asked[0].path) == ("POST", "/v1/webhooks/whk%2F1/replay")
