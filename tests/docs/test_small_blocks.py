"""The blocks that no page's own test runs, as they stand; and the few that cannot be run, each with the reason."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.local import SANDBOX_ACCOUNT
from config.settings import load
from sandbox.testing import RunningSandbox, running_sandbox
from tnimport.cli.address import DEFAULT_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.docs.conftest import Block, Service

# By the page and the beginning of the block.
HERE = {
    ("README.md", "make up "),
    ("api-keys.md", "    tnimport keys create"),
    ("enqueue.md", "export TNIMPORT_URL"),
    ("messages.md", "export TNIMPORT_URL"),
    ("metrics.md", "scrape_configs"),
    ("sandbox.md", "S=http"),
    ("sandbox.md", "order 9195550001"),
    ("sandbox.md", "control PUT switches"),
    ("sandbox.md", "control POST faults"),
    ("sandbox.md", "from sandbox.testing"),
    ("settings.md", "[accounts.north]"),
    ("webhooks.md", "export TNIMPORT_WEBHOOK_SECRET"),
    ("webhooks.md", "export TNIMPORT_URL"),
    ("webhooks.md", '{\n  "type": "import.finished"'),
}
ELSEWHERE = {
    "servers.md": "tests/deploy/test_page.py",  # counts them, too, and names who runs which
    "states.md": "tests/domain/test_life.py",  # compares its pictures with the code
}
NOT_RUN = {
    ("README.md", "    make demo"): "tests/workers/test_demo.py runs what the target starts",
    ("README.md", "    export TNIMPORT_ACCOUNT_ID"): "needs an account at Bandwidth",
    ("README.md", "    make test"): "is what runs this test",
    ("flower.md", "ssh "): "needs another machine",
    ("guarantees.md", "    make torture"): "takes hours; tests/torture runs the short form",
    ("sandbox.md", "    python -m sandbox"): "stays in the foreground; every stack of the tests starts it",
    ("sandbox.md", "    pytest tests/third_party"): "needs registries and Node",
}


def beginning(block: Block) -> tuple[str, str] | None:
    """The entry of the tables above that means this block."""
    return next(
        (entry for entry in {*HERE, *NOT_RUN} if block.page.name == entry[0] and block.text.startswith(entry[1])), None
    )


def test_every_block_is_run_by_a_test_or_cannot_be(blocks: list[Block], root: Path) -> None:
    rest = [block for block in blocks if not block.runnable and block.page.name not in ELSEWHERE]
    found = [beginning(block) for block in rest]
    assert [str(block) for block, entry in zip(rest, found, strict=True) if entry is None] == []
    assert sorted(entry for entry in found if entry) == sorted({*HERE, *NOT_RUN})
    assert all((root / test).exists() for test in ELSEWHERE.values())


@pytest.fixture
def written(blocks: list[Block]) -> Callable[[str, str], Block]:
    """The block of this page that begins so."""

    def _block(page: str, begins: str) -> Block:
        (found,) = [one for one in blocks if not one.runnable and beginning(one) == (page, begins)]
        return found

    return _block


def shell(text: str, folder: Path, environ: dict[str, str], *codes: int) -> str:
    done = subprocess.run(
        ["bash", "-uc", text], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (codes or (0,)), f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_commands_of_the_readme(written: Callable[[str, str], Block], service: Service, tmp_path: Path) -> None:
    up, sent, failed, paused, looked = lines_of(written("README.md", "make up "))
    assert up == "make up"  # the stack of this session is what it starts; tests/workers/test_stack.py starts it
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / "var").symlink_to(service.folder)
    (tmp_path / "deploy/demo").mkdir(parents=True)
    # The command stands as it is; fewer numbers are in the file.
    (tmp_path / "deploy/demo/numbers.csv").write_text("number\n9195554321\n9195550900\nnonsense\n")
    report = shell(sent, tmp_path, service.environ, 8)
    import_id = re.search(r"imp_\w+", report)
    assert import_id
    told = shell(failed.replace("imp_…", import_id[0]), tmp_path, service.environ)
    assert len(told.splitlines()) == 3
    assert import_id[0] in shell(paused.replace("imp_…", import_id[0]), tmp_path, service.environ)
    assert "ledger" in shell(looked, tmp_path, service.environ, 0, 1)


def lines_of(block: Block) -> list[str]:
    text = block.text.replace("\\\n", " ")
    return [line.partition(" # ")[0].strip() for line in text.splitlines()]


def test_keys_are_made_listed_and_revoked(written: Callable[[str, str], Block], tmp_path: Path) -> None:
    create, show, revoke = lines_of(written("api-keys.md", "    tnimport keys create"))
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environ["TNIMPORT_API_KEYS_FILE"] = str(tmp_path / "keys.toml")
    token = shell(create, tmp_path, environ).split()[0]
    key_id = token.split("_")[1]
    assert key_id in shell(show, tmp_path, environ)
    shell(revoke.replace("2b282g9x", key_id), tmp_path, environ)
    assert "billing" not in shell(show, tmp_path, environ)


@pytest.mark.parametrize("page", ["enqueue.md", "messages.md", "webhooks.md"])
def test_the_addresses_that_are_exported_are_those_of_a_stack(
    written: Callable[[str, str], Block], tmp_path: Path, page: str
) -> None:
    said = shell(f"{written(page, 'export TNIMPORT_URL').text}\nenv", tmp_path, {"PATH": os.environ["PATH"]})
    assert f"TNIMPORT_URL={DEFAULT_URL}" in said.splitlines()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_secret_that_is_made_can_sign(written: Callable[[str, str], Block], tmp_path: Path) -> None:
    text = written("webhooks.md", "export TNIMPORT_WEBHOOK_SECRET").text
    said = shell(f'{text}\nprintf %s "$TNIMPORT_WEBHOOK_SECRET"', tmp_path, {"PATH": os.environ["PATH"]})
    assert load({"TNIMPORT_WEBHOOK_SECRET": said}, accounts_needed=False).webhook_secrets == (said,)


def test_the_event_that_is_shown_is_json_with_the_state_of_an_import(written: Callable[[str, str], Block]) -> None:
    shown = json.loads(written("webhooks.md", '{\n  "type": "import.finished"').text)
    assert shown["data"]["links"]["self"].endswith(shown["data"]["id"])


def test_prometheus_is_configured_so(written: Callable[[str, str], Block], tmp_path: Path) -> None:
    text = written("metrics.md", "scrape_configs").text
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert (job["job_name"], job.get("metrics_path", "/metrics")) == ("tnimport", "/metrics")
    if promtool := shutil.which("promtool"):
        (tmp_path / "prometheus.yml").write_text(text)
        shell(f"{promtool} check config --syntax-only prometheus.yml", tmp_path, {})


def test_the_accounts_file_that_is_shown_is_usable(written: Callable[[str, str], Block], tmp_path: Path) -> None:
    text = written("settings.md", "[accounts.north]").text
    (tmp_path / "accounts.toml").write_text(text)
    for name, value in tomllib.loads(text)["accounts"]["north"].items():
        if name.endswith("_file"):
            (tmp_path / value).write_text("secret")
    given = {
        "TNIMPORT_ACCOUNTS_FILE": str(tmp_path / "accounts.toml"),
        "TNIMPORT_WEBHOOK_SECRET": "whsec_Y2FuYXJ5LXdlYmhvb2stc2VjcmV0LW9mLTMyLWJ5dGVz",
    }
    loaded = load(given).accounts["north"].account
    assert (loaded.site_id, loaded.paces.numbers_per_minute) == ("743", 600)


@pytest.fixture
def carrier() -> Iterator[RunningSandbox]:
    """A sandbox as the page has it."""
    with running_sandbox() as sandbox:
        yield sandbox


def test_each_outcome_is_provoked_as_written(
    written: Callable[[str, str], Block], carrier: RunningSandbox, tmp_path: Path
) -> None:
    here = carrier.dashboard_url.removesuffix("/api")
    whole = written("sandbox.md", "S=http").text.replace("http://127.0.0.1:8900", here)
    functions = whole.partition("\n\n")[0]
    for name, told in OUTCOMES.items():
        # The first of them needs what the whole import leaves; the others need the functions only.
        before = whole if name == "order 9195550001" else functions
        said = shell(f"IFS=\n{before}\n{written('sandbox.md', name).text}", tmp_path, {"PATH": os.environ["PATH"]})
        assert [one for one in told if one not in said] == [], f"{name}\n{said}"
    assert carrier.state("faults")["faults"] == []


OUTCOMES: dict[str, list[str]] = {
    "order 9195550001": ["25060", "RECEIVED", "HTTP/1.1 503 ", "25040", "HTTP/1.1 403 ", "HTTP/1.1 201 "],
    "control PUT switches": ["5016", "HTTP/1.1 400", "25010", "HTTP/1.1 429"],
    "control POST faults": ["cut-after", "junk-whitespace"],
}


def test_the_sandbox_in_a_test_of_others(written: Callable[[str, str], Block]) -> None:
    names: dict[str, Any] = {}
    exec(written("sandbox.md", "from sandbox.testing").text, names)  # noqa: S102 - the page's own code
    assert SANDBOX_ACCOUNT["ACCOUNT_ID"] == names["sandbox"].account_id
