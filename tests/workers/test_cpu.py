"""Workers keep to CPUs of their own. Each is a process here: this one must not lose its CPUs."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest

STAYS = "import os, sys; from workers.cpu import Pin; pin = Pin(sys.argv[1])"
TELLS = "print(pin.stay(), sorted(os.sched_getaffinity(0)), flush=True); sys.stdin.read()"
ALLOWED = sorted(os.sched_getaffinity(0))


def workers(count: int, allowed: set[int]) -> list[tuple[str, str]]:
    """What so many processes at the same time say: the CPU they chose, and where they may run."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed)  # the thread's own, which its children inherit
    try:
        line = [sys.executable, "-c", f"{STAYS}; {TELLS}", f"test-{uuid4()}"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        started = [subprocess.Popen(line, text=True, **pipes) for _ in range(count)]
    finally:
        os.sched_setaffinity(0, before)
    said = [one.stdout.readline().strip().partition(" ") for one in started if one.stdout]
    for one in started:
        one.communicate("", timeout=10)
    return [(chosen, place) for chosen, _, place in said]


@pytest.mark.skipif(len(ALLOWED) == 1, reason="there is one CPU")
def test_each_worker_has_a_cpu_of_its_own_while_there_are_enough() -> None:
    said = workers(len(ALLOWED), set(ALLOWED))
    assert sorted(int(chosen) for chosen, _ in said) == ALLOWED
    assert all(place == f"[{chosen}]" for chosen, place in said)


@pytest.mark.skipif(len(ALLOWED) == 1, reason="there is one CPU")
def test_more_workers_than_cpus_share() -> None:
    said = workers(len(ALLOWED) + 1, set(ALLOWED))
    assert {int(chosen) for chosen, _ in said} == set(ALLOWED)


def test_with_one_cpu_there_is_nothing_to_choose() -> None:
    assert workers(1, {ALLOWED[0]}) == [("None", f"[{ALLOWED[0]}]")]
