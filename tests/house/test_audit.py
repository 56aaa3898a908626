"""The audit of the declared set: what it refuses."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

GOOD = "six==1.17.0 \\\n    --hash=sha256:aa\n    # via x\n"
DECLARED = {"dependencies": ["six>=1.16"], "optional-dependencies": {"dev": []}}


@pytest.fixture(scope="module")
def audit(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", root / "deploy" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_of_this_project_is_whole(audit: ModuleType, root: Path) -> None:
    pinned = (root / "constraints.txt").read_text()
    declared = audit.tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert [*audit.unpinned(pinned), *audit.hosts(pinned), *audit.uncovered(pinned, declared)] == []
    assert len(audit.PIN.findall(pinned)) > 50


def test_a_whole_lock_is_accepted(audit: ModuleType) -> None:
    assert [*audit.unpinned(GOOD), *audit.hosts(GOOD), *audit.uncovered(GOOD, DECLARED)] == []


@pytest.mark.parametrize("lock", ["six\n", "six>=1\n", "six==1.17.0\n", "six==1.17.0 \\\n    --hash=md5:aa\n"])
def test_a_requirement_without_pin_or_hash_is_refused(audit: ModuleType, lock: str) -> None:
    assert [*audit.unpinned(lock)]


@pytest.mark.parametrize("line", ["--index-url x", "--find-links y", "six @ https://example.com/six.whl"])
def test_a_host_is_refused(audit: ModuleType, line: str) -> None:
    assert [*audit.hosts(GOOD + line)]


@pytest.mark.parametrize("wanted", ["six>=2", "seven"])
def test_what_is_declared_and_not_pinned_so_is_refused(audit: ModuleType, wanted: str) -> None:
    extras = {"dependencies": [], "optional-dependencies": {"dev": [wanted]}}
    assert [*audit.uncovered(GOOD, extras)]


def test_a_known_vulnerability_is_a_problem(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"name": "six", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    monkeypatch.setattr(audit, "look_up", lambda: [found, {"name": "other", "skip_reason": "unknown"}])
    assert list(audit.known_vulnerabilities()) == ["six 1: PYSEC-1, fixed in 2"]


@pytest.mark.parametrize("answer", [None, [], [{"name": "six", "skip_reason": "not found"}]])
def test_an_audit_that_was_not_possible_says_so(
    audit: ModuleType, answer: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "look_up", lambda: answer)
    assert list(audit.known_vulnerabilities()) == []
    assert "could NOT be looked up" in capsys.readouterr().out
