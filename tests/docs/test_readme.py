"""The README's two snippets, run as they stand but for the addresses: those are of this run."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.docs.conftest import Block, Service


def test_both_snippets_make_an_import(blocks: "list[Block]", run: "Callable[[Block], str]", service: "Service") -> None:
    places = {"http://127.0.0.1:8080": service.web, "redis://127.0.0.1:6379/0": service.redis}
    for block in (block for block in blocks if block.page.name == "README.md" and block.runnable):
        text = block.text
        for place, here in places.items():
            text = text.replace(place, here)
        assert text != block.text
        run(replace(block, text=text))
    assert service.imports("batch-7")[0]["counts"]["rows"] == 2
    deadline = time.monotonic() + 180
    while not service.imports("batch-8"):
        assert time.monotonic() < deadline, "the message is taken"
        time.sleep(0.05)  # looking again, not guessing
