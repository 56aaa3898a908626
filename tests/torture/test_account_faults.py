"""What a person must mend costs a handful of calls, holds with one instruction, and goes on from where it was."""

from collections.abc import Callable

import pytest

from sandbox.testing import RunningSandbox
from tests.tasks.conftest import access_to
from tests.torture.loop import Loop
from tnimport.bandwidth.applications import ApplicationSpec
from tnimport.contract import Task
from tnimport.ledger.housekeeping.reap import NEEDS_ATTENTION, STRIKES

HANDFUL = 6
RECOVERY = 18.0  # a claim of three seconds, and fifteen
TWO_LOOKS = 12.0  # an order that may have been sent is looked for twice, a call's time of five seconds apart
LOCKED = (
    "<R><ErrorList><Error><Code>5012</Code><Description>The account is locked.</Description></Error></ErrorList></R>"
)
XML = {"Content-Type": "application/xml"}


def rows(size: int, exchange: int = 240) -> list[str]:
    return [f"919{exchange + index // 8000}{2000 + index % 8000}" for index in range(size)]


class Wrong:
    """One fault of an account: how it comes about, and how a person mends it."""

    def __init__(self, begin: Callable[[Loop, RunningSandbox], object], mend: Callable[[Loop, RunningSandbox], object]):
        self.begin, self.mend = begin, mend


def _password(loop: Loop, sandbox: RunningSandbox, password: str) -> None:
    account = loop.accesses["default"].account
    loop.accesses["default"] = access_to(sandbox, account, loop.transport, password=password)


ACCOUNT_FAULTS = {
    "wrong password": Wrong(
        lambda loop, sandbox: _password(loop, sandbox, "wrong"),
        lambda loop, sandbox: _password(loop, sandbox, sandbox.password),
    ),
    "feature off": Wrong(
        lambda _, sandbox: sandbox.switch(feature_off=True), lambda _, sandbox: sandbox.switch(feature_off=False)
    ),
    "account locked": Wrong(
        lambda _, sandbox: sandbox.fault("dashboard.orders.*", "answer", status=403, headers=XML, body=LOCKED),
        lambda _, sandbox: sandbox.clear_faults(),
    ),
    "credentials refused by Catapult": Wrong(
        lambda _, sandbox: sandbox.fault("catapult.*", "unauthorized"), lambda _, sandbox: sandbox.clear_faults()
    ),
}


@pytest.mark.parametrize("fault", ACCOUNT_FAULTS)
def test_a_fault_of_the_account_costs_a_handful_of_calls_and_resume_goes_on(
    loop: Loop, sandbox: RunningSandbox, application: str, fault: str
) -> None:
    wrong = ACCOUNT_FAULTS[fault]
    wrong.begin(loop, sandbox)
    import_id = loop.submit(*rows(240), application={"id": application})
    before = loop.transport.calls
    loop.go(60)
    view = loop.view(import_id)
    assert (view.state, view.counts["failed"]) == ("held", 0)
    assert view.held is not None
    assert view.held["instruction"]
    spent = loop.transport.calls - before
    asked = loop.steps[Task.POLL_ORDER] + loop.steps[Task.SUBMIT_ORDER]
    assert spent - (asked if "Catapult" in fault else 0) <= HANDFUL
    wrong.mend(loop, sandbox)
    loop.resume(import_id)
    loop.go(60)
    assert loop.view(import_id).counts["imported"] == 240
    nothing_twice(sandbox)


def nothing_twice(sandbox: RunningSandbox) -> None:
    summary = sandbox.state("summary")["summary"]
    assert summary["numbers_imported_twice"] == 0
    assert summary["most_orders_of_a_number"] <= 1


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ({"site_id": "999"}, "refuse"),
        ({"site_id": "999"}, "fail-later"),
        ({"sip_peer_id": "999"}, "refuse"),
        ({"sip_peer_id": "999"}, "fail-later"),
    ],
)
def test_a_wrong_site_or_peer_holds_its_import_after_a_handful_of_calls_and_disturbs_no_other(
    loop: Loop, sandbox: RunningSandbox, application: str, place: dict[str, str], how: str
) -> None:
    sandbox.switch(bad_site=how)
    wrong = loop.submit(*rows(1000), application={"id": application}, **place)
    before = loop.transport.calls
    loop.go(60)
    view = loop.view(wrong)
    assert (view.state, view.counts["requested"] + view.counts["ordered"]) == ("held", 1000)
    assert loop.transport.calls - before <= HANDFUL
    assert len(sandbox.calls("dashboard.orders.create")) == 1
    right = loop.submit(*rows(5, 300), application={"id": application})
    loop.go(60)
    assert loop.view(right).state == "complete"
    assert loop.view(wrong).state == "held"


def test_an_application_that_is_gone_holds_its_import_after_a_handful_of_calls(
    loop: Loop, sandbox: RunningSandbox, application: str
) -> None:
    loop.accesses["default"].catapult.delete_application(application, 5)
    import_id = loop.submit(*rows(240), application={"id": application})
    loop.go(10)
    view = loop.view(import_id)
    assert (view.state, view.counts["failed"]) == ("held", 0)
    assert len(sandbox.calls("catapult.numbers.create")) <= HANDFUL


def test_other_accounts_are_not_disturbed(loop: Loop, sandbox: RunningSandbox, application: str) -> None:
    _password(loop, sandbox, "wrong")
    held = loop.submit(*rows(100), application={"id": application})
    second = loop.accesses["second"].catapult.create_application(
        ApplicationSpec(name="theirs", incoming_message_url="https://example.com/"), 5
    )
    other = loop.submit(*rows(100, 300), account="second", application={"id": second})
    loop.go(60)
    assert loop.view(held).state == "held"
    assert loop.view(other).state == "complete"


def test_a_number_that_kills_its_run_three_times_is_parked_and_the_rest_goes_on(
    loop: Loop, sandbox: RunningSandbox, application: str
) -> None:
    numbers = rows(120)
    loop.poison = frozenset({numbers[90]})
    loop.deadly_at = Task.IMPORT_NUMBERS
    import_id = loop.submit(*numbers, application={"id": application})
    loop.go(300)
    assert loop.killed == STRIKES
    fates = loop.fates(import_id)
    assert fates.pop(numbers[90]) == ("failed", NEEDS_ATTENTION)
    assert set(fates.values()) == {("imported", None)}
    assert loop.view(import_id).state == "partial"
    nothing_twice(sandbox)


@pytest.mark.parametrize("step", [Task.SUBMIT_ORDER, Task.POLL_ORDER])
def test_an_order_that_kills_its_run_three_times_holds_its_import_and_others_go_on(
    loop: Loop, sandbox: RunningSandbox, application: str, step: Task
) -> None:
    poison, others = rows(10), rows(10, 300)
    loop.poison, loop.deadly_at = frozenset({poison[0]}), step
    bad = loop.submit(*poison, application={"id": application})
    loop.go(400)
    view = loop.view(bad)
    assert (view.state, view.held and view.held["code"]) == ("held", NEEDS_ATTENTION)
    assert loop.killed == STRIKES
    good = loop.submit(*others, application={"id": application})
    loop.go(60)
    assert loop.view(good).state == "complete"
    loop.poison = frozenset()
    loop.resume(bad)
    loop.go(60)
    assert loop.view(bad).state == "complete"
    nothing_twice(sandbox)


@pytest.mark.parametrize("after", [0, 40], ids=["from the start", "in the middle"])
@pytest.mark.parametrize("how", ["refused", "503", "cut"])
def test_while_the_carrier_is_down_nothing_fails_nothing_hammers_it_and_it_goes_on_by_itself(
    loop: Loop, sandbox: RunningSandbox, application: str, how: str, after: int
) -> None:
    import_id = loop.submit(*rows(240), application={"id": application})
    right = dict(loop.accesses)
    loop.until_imported(import_id, after)
    if how == "refused":
        nowhere = RunningSandbox("http://127.0.0.1:9")
        loop.accesses |= {
            name: access_to(nowhere, access.account, loop.transport) for name, access in loop.accesses.items()
        }
    else:
        sandbox.fault("*", "error" if how == "503" else "cut-before")
    before = loop.transport.calls
    loop.go(20)
    in_20_seconds = loop.transport.calls - before
    loop.go(120)
    assert in_20_seconds <= 40
    assert loop.transport.calls - before <= in_20_seconds + 60
    assert loop.view(import_id).counts["failed"] == 0
    loop.accesses |= right
    sandbox.clear_faults()
    still, so_far = loop.view(import_id).counts, loop.transport.calls
    loop.go(RECOVERY)
    assert loop.transport.calls > so_far
    loop.go(TWO_LOOKS)
    assert loop.view(import_id).counts != still
    loop.go(300)
    assert loop.view(import_id).state == "complete"
    nothing_twice(sandbox)
