"""Clients that Bandwidth published, unchanged, against the sandbox by their own settings of the base URL.

The name of this file keeps it out of the ordinary suite: it is collected only when it is named.
"""

from collections.abc import Callable

import pytest

from sandbox.testing import RunningSandbox

pytestmark = [pytest.mark.third_party, pytest.mark.timeout(300)]
Run = Callable[[str, str, str], str]


@pytest.mark.parametrize(
    ("requirement", "program"),
    [
        ("bandwidth-sdk==3.1.0", "bandwidth_sdk_3.py"),
        ("bandwidth-sdk==1.10.0", "bandwidth_sdk_1.py"),
        ("bandwidth-numbers-sdk==1.2.0", "numbers_sdk.py"),
    ],
)
def test_a_python_client_lives_through_its_whole_story(
    run_python: Run, fresh_sandbox: RunningSandbox, requirement: str, program: str
) -> None:
    assert run_python(requirement, program, fresh_sandbox.url) == "ok"


@pytest.mark.parametrize(
    ("requirement", "program"),
    [("node-bandwidth@3.0.3", "node_bandwidth.js"), ("@bandwidth/numbers", "node_numbers.js")],
)
def test_a_node_client_lives_through_its_whole_story(
    run_node: Run, fresh_sandbox: RunningSandbox, requirement: str, program: str
) -> None:
    assert run_node(requirement, program, fresh_sandbox.url) == "ok"
