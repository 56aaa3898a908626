from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

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
    ended = run("webhooks", "--failed", "--import", "imp-1")
    assert (ended.stdout, ended.stderr) == ("", "No webhooks.\n")
    asked = {"state": ["failed"], "import_id": ["imp-1"], "page_size": ["200"]}
    assert (api.asked[0].path, api.asked[0].query) == ("/v1/webhooks", asked)
    assert json.loads(run("webhooks", "--json").stdout)["webhooks"] == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_webhooks_are_listed_to_the_last_page(run: Run, api: PlayedApi, options: tuple[str, ...]) -> None:
    api.views = [
        {"webhooks": [FAILED], "next_page_token": "1.5:whk_1"},
        {"webhooks": [DELIVERED], "next_page_token": ""},
    ]
    shown = run("webhooks", "--failed", *options).stdout
    assert shown.index("whk_1") < shown.index("whk_2")
    assert [one.query.get("page_token") for one in api.asked] == [None, ["1.5:whk_1"]]
    assert [one.query["state"] for one in api.asked] == [["failed"]] * 2


def test_webhooks_are_sent_again_those_of_a_list_as_well(run: Run, api: PlayedApi) -> None:
    api.views = [FAILED | {"state": "waiting"}]
    listed = b"whk_1  import.finished  failed  10  https://hooks.example/tn\n\nwhk_3\n"
    assert len(run("replay", "whk_9", "-", stdin=listed).stdout.splitlines()) == 3
    assert [one.path.split("/")[3] for one in api.asked] == ["whk_9", "whk_1", "whk_3"]


def test_a_webhook_is_sent_again(run: Run, api: PlayedApi) -> None:
    api.views = [FAILED | {"state": "waiting"}]
    assert run("replay", "whk/1").stdout == "Webhook whk_1: waiting\n"
    assert (api.asked[0].method, api.asked[0].path) == ("POST", "/v1/webhooks/whk%2F1/replay")
