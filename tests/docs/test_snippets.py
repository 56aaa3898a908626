"""Every command and snippet of the pages parses, and what it names exists; those that can are run, in other tests."""

import ast
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.settings import Settings
from tnimport.cli.main import cli

if TYPE_CHECKING:
    from tests.docs.conftest import Block

RUN_BY = {
    "README.md": "tests/docs/test_readme.py",
    "enqueue.md": "tests/docs/test_enqueue.py",
    "messages.md": "tests/docs/test_messages.py",
    "webhooks.md": "tests/docs/test_webhooks.py",
}
PAGES_OF_COMMANDS = {"README.md", "enqueue.md", "flower.md", "servers.md", "sandbox.md", "api-keys.md", "messages.md"}
NOT_OURS = {"TNIMPORT_", "TNIMPORT_API_KEY", "TNIMPORT_API_KEY_FILE", "TNIMPORT_URL"}


def test_the_pages_that_show_commands_are_found(blocks: "list[Block]") -> None:
    assert {block.page.name for block in blocks if block.language == "sh"} >= PAGES_OF_COMMANDS


def test_every_shell_block_parses(shell_block: "Block") -> None:
    done = subprocess.run(["bash", "-n"], input=shell_block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_python_block_parses(python_block: "Block") -> None:
    ast.parse(python_block.text)


def test_every_block_that_says_it_is_run_is_run_by_a_test(blocks: "list[Block]", root: Path) -> None:
    pages = {block.page.name for block in blocks if block.runnable}
    assert pages == RUN_BY.keys()
    assert all((root / test).exists() for test in RUN_BY.values())


def lines_of(block: "Block") -> list[str]:
    return block.text.replace("\\\n", " ").splitlines()


def test_every_target_of_make_and_every_module_exists(shell_block: "Block", root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    for line in lines_of(shell_block):
        for target in re.findall(r"^\s*(?:\w+=\S+ )?make ([a-z]+)", line):
            assert target in targets
        for module in re.findall(r"python -m ((?:workers|sandbox|deploy|bench|config)\S*)", line):
            place = root / module.replace(".", "/")
            assert place.with_suffix(".py").exists() or (place / "__main__.py").exists()


def test_every_command_of_tnimport_and_its_options_exist(shell_block: "Block") -> None:
    for line in lines_of(shell_block):
        called = re.match(r"(?:.*/bin/|\s*)tnimport ([a-z].*)", line.partition(" #")[0])
        if called:
            words = shlex.split(called[1])
            command: click.Command = cli
            while isinstance(command, click.Group) and words and command.get_command(click.Context(command), words[0]):
                command = command.get_command(click.Context(command), words.pop(0))
            assert command is not cli, line
            known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            passed_on = command.context_settings.get("ignore_unknown_options", False)
            assert passed_on or {word.partition("=")[0] for word in words if word.startswith("--")} <= known, line


def test_every_setting_that_a_page_names_exists(root: Path) -> None:
    fields = {f"TNIMPORT_{field.upper()}" for field in Settings.environment_fields()}
    known = fields | {f"{name}_FILE" for name in fields} | NOT_OURS
    pages = [root / "README.md", *(root / "docs").glob("*.md"), *(root / "deploy").rglob("*.env")]
    named = {(page.name, name) for page in pages for name in re.findall(r"\bTNIMPORT_[A-Z_]*", page.read_text())}
    assert {(page, name) for page, name in named if name not in known} == set()


def test_every_link_between_pages_leads_somewhere(root: Path) -> None:
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())]
    lost = [f"{page.name}: {link}" for page, link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []
