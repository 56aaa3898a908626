"""What holds for the whole project."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from honcho.environ import parse_procfile

FUNCTION_LINES = 60
FILE_LINES = 400
TARGETS = {"demo", "up", "sandbox", "test", "check", "bench", "torture", "lock", "help"}
# Put together here, so that this file does not name what it forbids.
MACHINE = re.compile("/" + r"(work|farm|root)/|/\." + "library")
HOSTS = re.compile(r"https?://[a-z.]*(py" + r"pi|python" + r"hosted|npm" + r"js|deb" + r"ian)\.", re.IGNORECASE)
HOME = re.compile(r"/home/[a-z]+/|/Users/[A-Za-z]+/")


def text_of(path: Path) -> str:
    return path.read_text(errors="replace")


def python(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".py"]


def test_imports_go_one_way(root: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_function_is_longer_than_sixty_lines(files: list[Path], root: Path) -> None:
    long = [
        f"{path.relative_to(root)}:{node.lineno} {node.name}"
        for path in python(files)
        if path.parent.name != "versions"  # a migration is one list of statements, frozen once it is shipped
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


def test_no_file_of_code_is_longer_than_four_hundred_lines(files: list[Path], root: Path) -> None:
    code = [path for path in python(files) if "tests" not in path.relative_to(root).parts]
    assert [str(path) for path in code if text_of(path).count("\n") > FILE_LINES] == []


@pytest.mark.parametrize("forbidden", [MACHINE, HOSTS, HOME], ids=["machine", "hosts", "home"])
def test_nothing_names_a_path_of_one_machine_or_a_registry(
    forbidden: re.Pattern[str], files: list[Path], root: Path
) -> None:
    found = [
        f"{path.relative_to(root)}: {line.strip()[:80]}"
        for path in files
        for line in text_of(path).splitlines()
        if forbidden.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_module_has_a_name_that_says_nothing(name: str, files: list[Path]) -> None:
    assert [path for path in python(files) if path.stem.strip("_") == name] == []


def test_every_sleep_of_a_test_says_why_it_is_no_guess(files: list[Path], root: Path) -> None:
    tests = [path for path in python(files) if path.relative_to(root).parts[0] == "tests"]
    guesses = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in tests
        for line in text_of(path).splitlines()
        if re.match(r"\s*time\.sleep\(", line) and "#" not in line
    ]
    assert guesses == []


def test_every_exception_to_a_rule_says_why_in_one_way(files: list[Path], root: Path) -> None:
    rule = "# no" + "qa"
    reasoned = re.compile(rule + r": [A-Z]+\d+(, [A-Z]+\d+)* - \S")
    silent = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in python(files)
        for line in text_of(path).splitlines()
        if rule in line and not reasoned.search(line)
    ]
    assert silent == []


def test_the_targets_of_the_contract_exist_and_help_lists_them(root: Path) -> None:
    make = shutil.which("make")
    assert make
    listed = subprocess.run([make, "-s", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z]+)", listed, re.MULTILINE)) >= TARGETS


def test_the_installation_needs_nothing_but_the_lock_and_the_project(root: Path) -> None:
    makefile = text_of(root / "Makefile")
    # The lock is whole, so nothing is left to resolve: pip, asked to, would look past a pin for a name with an extra.
    assert "pip install --quiet --no-deps --require-hashes -r constraints.txt" in makefile
    assert "pip install --quiet --no-deps --no-build-isolation -e ." in makefile


def test_the_gate_runs_check_and_test(root: Path) -> None:
    gate = text_of(root / ".ci" / "run")
    assert "set -euo pipefail" in gate
    assert "make check\nmake test\n" in gate


def test_the_procfiles_agree(root: Path) -> None:
    served = parse_procfile(text_of(root / "Procfile")).processes
    local = parse_procfile(text_of(root / "Procfile.dev")).processes
    assert set(served) == {"release", "web", "worker", "dispatcher", "flower"}
    assert {name: line for name, line in served.items() if name != "release"}.items() <= local.items()
    assert set(local) - set(served) == {"redis", "sandbox"}


def test_every_module_that_a_procfile_starts_exists(root: Path) -> None:
    lines = text_of(root / "Procfile") + text_of(root / "Procfile.dev")
    modules = set(re.findall(r"python -m ([\w.]+)|-A ([\w.]+)", lines))
    for module in {name for pair in modules for name in pair if name}:
        place = root / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module


FOLDERS = ("bench", "deploy", "deploy/demo", "deploy/grafana", "deploy/systemd", "docs/decisions", "tests")


def test_every_folder_says_in_a_few_lines_what_it_is(files: list[Path], root: Path) -> None:
    packages = {path.parent for path in files if path.name == "__init__.py"}
    migrations = root / "tnimport" / "ledger" / "migrations"
    folders = packages | {root / folder for folder in FOLDERS} | {migrations}
    form = re.compile(r"# [a-z_]+: \S.*\n\n(\S.*\n){1,3}")
    wrong = [
        str(folder.relative_to(root))
        for folder in sorted(folders)
        if not form.fullmatch(text_of(folder / "README.md") if (folder / "README.md").exists() else "")
    ]
    assert wrong == []


def test_the_version_is_that_of_the_newest_change(root: Path) -> None:
    # The doctor tells by it whether an upgrade is through.
    newest = re.search(r"^## (\S+)$", text_of(root / "CHANGELOG.md"), re.MULTILINE)
    version = re.search(r'^version = "(\S+)"$', text_of(root / "pyproject.toml"), re.MULTILINE)
    assert newest
    assert version
    assert version[1] == newest[1]


def test_the_list_of_pages_is_complete(root: Path) -> None:
    pages = {path.name for path in (root / "docs").iterdir() if path.name != "README.md"}
    listed = set(re.findall(r"`([\w.-]+)/?`", text_of(root / "docs" / "README.md")))
    assert pages == listed


def test_the_numbers_of_the_demonstration_are_the_ones_that_are_made(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    shutil.copy(root / "deploy" / "demo" / "make_numbers.py", folder)
    subprocess.run([sys.executable, str(folder / "make_numbers.py")], check=True)
    assert (folder / "numbers.csv").read_text() == text_of(root / "deploy" / "demo" / "numbers.csv")


def test_the_composition_runs_what_the_procfile_runs(root: Path) -> None:
    services = yaml.safe_load(text_of(root / "docker-compose.yml"))["services"]
    served = parse_procfile(text_of(root / "Procfile")).processes
    for name, line in served.items():
        assert " ".join(services["migrate" if name == "release" else name]["command"]) == line
    assert set(services) == {*served, "redis", "postgres", "migrate"} - {"release"}


def test_the_composition_has_no_password_in_it_and_checks_every_server(root: Path) -> None:
    composition = yaml.safe_load(text_of(root / "docker-compose.yml"))
    for service in composition["services"].values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|TOKEN|AUTH|DATABASE_URL", name)
            assert not secret or value.startswith("/run/secrets/"), name
    assert all(
        composition["services"][name]["healthcheck"]
        for name in ("redis", "postgres", "web", "worker", "dispatcher", "flower")
    )
    for name in ("worker", "dispatcher"):
        assert composition["services"][name]["healthcheck"]["test"] == ["CMD", "python", "-m", "workers.health", name]
    assert "noeviction" in composition["services"]["redis"]["command"]
