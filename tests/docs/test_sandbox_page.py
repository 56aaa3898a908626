"""docs/sandbox.md: its whole import in five commands, against a sandbox, in a shell that splits no words (as zsh)."""

import subprocess
from typing import TYPE_CHECKING

from sandbox.testing import running_sandbox

if TYPE_CHECKING:
    from tests.docs.conftest import Block


def test_a_whole_import_by_hand(blocks: "list[Block]") -> None:
    first = next(block for block in blocks if block.page.name == "sandbox.md" and block.text.startswith("S="))
    with running_sandbox(order_delay=0.2) as sandbox:
        here = sandbox.dashboard_url.removesuffix("/api")
        text = f"IFS=\n{first.text.replace('http://127.0.0.1:8900', here)}"
        done = subprocess.run(["bash", "-euc", text], capture_output=True, text=True, timeout=60, check=True)
        said = done.stdout
        assert all(text in said for text in ("<ProcessingStatus>COMPLETE<", '"text":"Good morning"'))
        assert said.count("HTTP/1.1 201 ") == 4  # the order, two numbers, the message; the application is taken apart
