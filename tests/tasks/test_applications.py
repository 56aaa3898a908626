"""Step 3: the application is found or created once, whatever becomes of the answers."""

from __future__ import annotations

import json
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tasks.catalogue import STEPS
from tasks.results import Done, Later
from tnimport.bandwidth.applications import Application, ApplicationSpec
from tnimport.contract import Task
from tnimport.ledger.schema import applications

if TYPE_CHECKING:
    from tests.tasks.conftest import World

NUMBER = "9192381000"
URL = "https://example.com/inbound"
WISH = {"application": {"name": "ours", "incoming_message_url": URL}}
JSON = {"Content-Type": "application/json"}


def create(world: World, name: str, url: str = URL) -> str:
    """Make an application at the carrier as somebody else would."""
    return world.access.catapult.create_application(ApplicationSpec(name=name, incoming_message_url=url), 5)


def at_carrier(world: World) -> list[str]:
    held = world.sandbox.state("users")["users"][world.sandbox.user_id]["applications"]
    return [one["id"] for one in held if one["name"] == "ours"]


def until_done(world: World, most: int = 20) -> Done:
    for _ in range(most):
        result = world.run(Task.ENSURE_APPLICATION)
        if isinstance(result, Done):
            return result
    raise AssertionError(f"not through after {most} steps")


def test_one_that_does_not_exist_is_created_after_looking_for_it_and_the_numbers_go_to_it(world: World) -> None:
    import_id = world.available(NUMBER, **WISH)
    assert world.run(Task.ENSURE_APPLICATION) == Later("it does not exist yet", 0)
    result = world.run(Task.ENSURE_APPLICATION)
    assert result == Done({"application_id": at_carrier(world)[0], "created": "yes"})
    world.run(Task.IMPORT_NUMBERS)
    assert world.at_catapult()[NUMBER]["application_id"] == at_carrier(world)[0]
    assert world.fates(import_id) == {NUMBER: ("imported", None)}


def test_numbers_wait_until_the_application_is_known(world: World) -> None:
    world.available(NUMBER, **WISH)
    with pytest.raises(AssertionError, match="may not start"):
        world.grant(Task.IMPORT_NUMBERS)


def test_a_run_that_stood_still_until_its_claim_was_over_creates_nothing(world: World) -> None:
    world.available(NUMBER, **WISH)
    world.run(Task.ENSURE_APPLICATION)
    run = world.take(world.grant(Task.ENSURE_APPLICATION))
    assert isinstance(STEPS[Task.ENSURE_APPLICATION](world.job(run, deadline=monotonic())), Later)
    assert at_carrier(world) == []
    until_done(world)
    assert len(at_carrier(world)) == 1


def test_one_that_is_on_a_later_page_of_the_list_is_found_and_not_created(world: World) -> None:
    for index in range(1005):
        if index == 1002:
            theirs = create(world, "ours")
        else:
            create(world, f"other-{index}")
    world.submit(NUMBER, **WISH)
    first = world.run(Task.ENSURE_APPLICATION)
    assert first == Later("page 1 of the applications is next", 0)
    assert until_done(world) == Done({"application_id": theirs, "created": "no"})
    assert at_carrier(world) == [theirs]


@pytest.mark.parametrize("kind", ["cut-after", "truncated", "error-after", "empty"])
def test_one_whose_answer_was_lost_is_looked_for_and_adopted(world: World, kind: str) -> None:
    world.submit(NUMBER, **WISH)
    world.run(Task.ENSURE_APPLICATION)
    world.sandbox.fault("catapult.applications.create", kind, count=1)
    result = world.run(Task.ENSURE_APPLICATION)
    assert isinstance(result, (Later, Done))
    if isinstance(result, Later):
        result = until_done(world)
        assert result.counts["created"] == "no"
    assert at_carrier(world) == [result.counts["application_id"]]


def test_one_whose_answer_was_lost_before_it_was_made_is_made_later_and_only_once(world: World) -> None:
    world.submit(NUMBER, **WISH)
    world.run(Task.ENSURE_APPLICATION)
    world.sandbox.fault("catapult.applications.create", "cut-before", count=1)
    assert isinstance(world.run(Task.ENSURE_APPLICATION), Later)
    result = world.run(Task.ENSURE_APPLICATION)
    assert isinstance(result, Later)
    assert 0 < result.seconds <= world.http_timeout, "it may still appear for as long as a call may take"
    assert at_carrier(world) == []
    assert until_done(world).counts["created"] == "yes"
    assert len(at_carrier(world)) == 1


def test_a_clock_that_is_put_forward_does_not_create_one_again_that_is_still_on_its_way(world: World) -> None:
    world.submit(NUMBER, **WISH)
    world.run(Task.ENSURE_APPLICATION)
    world.sandbox.fault("catapult.applications.create", "cut-after", count=1)
    world.run(Task.ENSURE_APPLICATION)
    world.earlier(applications, "sent_at", 100_000)
    world.sandbox.fault("catapult.applications.list", "answer", status=200, headers=JSON, body="[]", count=1)
    assert isinstance(world.run(Task.ENSURE_APPLICATION), Later)
    assert until_done(world).counts["created"] == "no"
    assert len(at_carrier(world)) == 1


def test_a_name_that_somebody_else_uses_with_another_url_is_not_taken_for_ours(world: World) -> None:
    theirs = create(world, "ours", "https://example.com/elsewhere")
    world.submit(NUMBER, **WISH)
    made = until_done(world)
    assert made.counts["created"] == "yes"
    assert made.counts["application_id"] != theirs


@pytest.mark.parametrize("shown", ["https://user:secret@example.com/inbound", "https://example.com/inbound"])
def test_the_user_info_of_a_url_makes_no_difference(world: World, shown: str) -> None:
    theirs = create(world, "ours", shown)
    world.submit(NUMBER, **WISH)
    assert world.run(Task.ENSURE_APPLICATION) == Done({"application_id": theirs, "created": "no"})


def test_a_refused_one_fails_the_numbers_at_the_stage_of_the_application(world: World) -> None:
    import_id = world.available(NUMBER, **WISH)
    world.run(Task.ENSURE_APPLICATION)
    body = json.dumps({"category": "bad-request", "code": "validation-error", "message": "no such method"})
    world.sandbox.fault("catapult.applications.create", "answer", status=400, headers=JSON, body=body, count=1)
    assert world.run(Task.ENSURE_APPLICATION) == Done({"refused": "validation-error"})
    failed = world.numbers(import_id)[NUMBER]
    assert (failed.state, failed.stage, failed.code) == ("failed", "application", "validation-error")
    assert failed.description == "no such method"
    assert world.view(import_id).state == "failed"
    assert world.waiting() == []


def test_a_refused_one_ends_every_import_that_wished_for_it(world: World) -> None:
    first, second = world.submit(NUMBER, **WISH), world.submit("2062381001", **WISH)
    world.run(Task.ENSURE_APPLICATION)
    body = json.dumps({"category": "bad-request", "code": "validation-error", "message": "no"})
    world.sandbox.fault("catapult.applications.create", "answer", status=400, headers=JSON, body=body, count=1)
    world.run(Task.ENSURE_APPLICATION)
    assert {world.view(one).state for one in (first, second)} == {"failed"}
    assert world.waiting() == []


@pytest.mark.parametrize("endpoint", ["catapult.applications.list", "catapult.applications.create"])
def test_wrong_credentials_hold_the_import_and_make_nothing_twice(world: World, endpoint: str) -> None:
    import_id = world.submit(NUMBER, **WISH)
    world.sandbox.fault(endpoint, "unauthorized", count=1)
    while "held" not in getattr(world.run(Task.ENSURE_APPLICATION), "counts", {}):
        pass
    assert world.view(import_id).state == "held"
    assert world.view(import_id).counts["requested"] == 1
    world.mended()
    assert until_done(world).counts["created"] == "yes"
    assert len(at_carrier(world)) == 1


@pytest.mark.parametrize("kind", ["rate-limited", "rate-limited-bare", "error", "cut-before", "html"])
def test_a_list_that_cannot_be_had_is_asked_for_again(world: World, kind: str) -> None:
    theirs = create(world, "ours")
    world.submit(NUMBER, **WISH)
    world.sandbox.fault("catapult.applications.list", kind, count=1)
    assert isinstance(world.run(Task.ENSURE_APPLICATION), Later)
    assert until_done(world) == Done({"application_id": theirs, "created": "no"})


def test_a_creation_that_was_rate_limited_made_nothing_and_is_repeated_without_another_look(world: World) -> None:
    world.submit(NUMBER, **WISH)
    world.run(Task.ENSURE_APPLICATION)
    world.sandbox.fault("catapult.applications.create", "rate-limited", count=1)
    assert isinstance(world.run(Task.ENSURE_APPLICATION), Later)
    assert isinstance(world.run(Task.ENSURE_APPLICATION), Done)
    assert len(world.sandbox.calls("catapult.applications.list")) == 1
    assert len(at_carrier(world)) == 1


OURS = "https://tn.example/callbacks/default"
SECRET = "canary/secret"
PRESENTING = "https://tnimport:canary%2Fsecret@tn.example/callbacks/default/messages"


@pytest.fixture
def called(world: World) -> World:
    """An account that the carrier calls, with a second way and a time-out."""
    world.change(callback_url=OURS, fallback_url="https://second.example/callbacks/default", callback_timeout=2.5)
    world.access = replace(world.access, callback_secret=SECRET)
    return world


def shown(world: World, application_id: str) -> Application:
    return world.access.catapult.get_application(application_id, 5)


@pytest.mark.parametrize("application", [None, {"name": "tnimport", "callback_http_method": "GET"}])
def test_one_that_calls_us_has_our_secret_on_the_wire_and_nowhere_else(
    called: World, application: dict[str, str] | None
) -> None:
    import_id = called.available(NUMBER, application=application)
    made = until_done(called)
    assert made.counts["created"] == "yes"
    held = shown(called, str(made.counts["application_id"]))
    assert (held.name, held.incoming_message_url) == ("tnimport", PRESENTING)
    assert held.incoming_message_fallback_url == PRESENTING.replace("@tn.", "@second.")
    assert held.incoming_message_url_callback_timeout == 2500
    assert held.callback_http_method == ("GET" if application else "POST")
    with called.ledger.read() as tx:
        stored = str(tx.run(sa.select(applications)).all())
    assert "canary" not in stored + str(called.view(import_id)) + repr(called.access)
    assert f"{OURS}/messages" in stored


def test_foreign_addresses_never_get_our_secret(called: World) -> None:
    theirs = {"incoming_message_url": f"{OURS}/messages.evil", "incoming_message_fallback_url": URL}
    called.submit(NUMBER, application={"name": "ours", **theirs})
    held = shown(called, str(until_done(called).counts["application_id"]))
    assert (held.incoming_message_url, held.incoming_message_fallback_url) == tuple(theirs.values())


@pytest.mark.parametrize("url", [f"{OURS}/messages", PRESENTING.replace("canary", "older"), PRESENTING])
def test_one_that_is_there_and_calls_us_is_given_our_secret(called: World, url: str) -> None:
    there = create(called, "tnimport", url)
    called.submit(NUMBER, application=None)
    assert until_done(called) == Done({"application_id": there, "created": "no"})
    assert shown(called, there).incoming_message_url == PRESENTING


def test_one_that_goes_away_meanwhile_is_made_and_one_that_may_not_be_changed_is_used(called: World) -> None:
    there = create(called, "tnimport", f"{OURS}/messages")
    called.submit(NUMBER, application=None)
    assert called.run(Task.ENSURE_APPLICATION) == Later("it exists, and is to be as it was asked for", 0)
    called.access.catapult.delete_application(there, 5)
    assert until_done(called).counts["created"] == "yes"
    fixed = create(called, "fixed", f"{OURS}/messages")
    called.submit(NUMBER, application={"name": "fixed"})
    body = json.dumps({"category": "bad-request", "code": "validation-error", "message": "no"})
    called.sandbox.fault("catapult.applications.update", "answer", status=400, headers=JSON, body=body)
    done = until_done(called)
    assert done.counts == {
        "application_id": fixed,
        "created": "no",
        "change_refused": "validation-error",
    }


def test_one_that_is_there_is_changed_in_what_was_asked_for_and_in_nothing_else(called: World) -> None:
    spec = ApplicationSpec(
        name="ours",
        incoming_message_url=PRESENTING,
        incoming_message_url_callback_timeout=9000,
        incoming_message_fallback_url="https://old.example/in",
        callback_http_method="POST",
        incoming_call_url="https://calls.example/",
    )
    there = called.access.catapult.create_application(spec, 5)
    asked = {"callback_http_method": "GET", "incoming_message_fallback_url": URL}
    called.submit(NUMBER, application={"name": "ours", **asked})
    assert until_done(called) == Done({"application_id": there, "created": "no"})
    held = shown(called, there)
    assert (held.callback_http_method, held.incoming_message_fallback_url) == ("GET", URL)
    assert held.incoming_message_url_callback_timeout == 2500  # of the settings
    assert (held.incoming_call_url, held.incoming_message_url) == ("https://calls.example/", PRESENTING)
    changes = len(called.sandbox.calls("catapult.applications.update"))
    called.submit("9192381001", application={"name": "ours", "incoming_message_fallback_url": URL})
    assert until_done(called) == Done({"application_id": there, "created": "no"})
    assert len(called.sandbox.calls("catapult.applications.update")) == changes


def vanish(world: World) -> None:
    """Somebody deletes our application, or the carrier forgets it."""
    for one in at_carrier(world):
        world.access.catapult.delete_application(one, 5)


def importing(world: World) -> Done:
    result = world.run(Task.IMPORT_NUMBERS)
    assert isinstance(result, Done)
    return result


@pytest.mark.parametrize("by_name", [True, False])
def test_one_that_has_vanished_is_had_again_by_its_name_and_holds_the_import_by_its_id(
    world: World, *, by_name: bool
) -> None:
    given = None if by_name else create(world, "ours")
    wish: dict[str, object] = WISH if by_name else {"application": {"id": given}}
    world.available("9192381001", **wish)
    if by_name:
        until_done(world)
    importing(world)
    vanish(world)
    import_id = world.available(NUMBER, **wish)
    assert importing(world) == Done({"stopped": 1})
    if not by_name:
        held = world.view(import_id).held
        assert held["code"] == "application-not-found"
        assert "Correct the application id" in held["instruction"]
        return
    assert world.view(import_id).state == "running"
    assert until_done(world).counts["created"] == "yes"
    importing(world)
    assert world.at_catapult()[NUMBER]["application_id"] == at_carrier(world)[0]
    assert world.view(import_id).state == "complete"
    assert len(at_carrier(world)) == 1


def test_a_number_that_is_moved_to_one_that_has_vanished_finds_the_one_that_is_there_now(world: World) -> None:
    theirs = create(world, "theirs")
    world.sandbox.put_in_service([NUMBER])
    world.access.catapult.import_number(f"+1{NUMBER}", theirs, 5)
    world.available("9192381001", **WISH)
    until_done(world)
    importing(world)
    import_id = world.available(NUMBER, on_present="refresh", **WISH)
    importing(world)  # it is there already
    vanish(world)
    assert world.run(Task.IMPORT_NUMBERS) == Done({"stopped": 1})
    until_done(world)
    importing(world)
    assert world.fates(import_id) == {NUMBER: ("imported", None)}
    assert world.at_catapult()[NUMBER]["application_id"] == at_carrier(world)[0]


def test_a_carrier_that_knows_none_of_its_own_applications_is_not_given_ever_more_of_them(world: World) -> None:
    import_id = world.available(NUMBER, **WISH)
    until_done(world)
    body = json.dumps({"category": "not-found", "code": "application-not-found", "message": "No such application."})
    world.sandbox.fault("catapult.numbers.create", "answer", status=404, headers=JSON, body=body)
    importing(world)
    until_done(world)
    importing(world)
    held = world.view(import_id).held
    assert held["code"] == "application_vanished"
    assert at_carrier(world)[0] in held["instruction"]
    assert len(at_carrier(world)) == 1
    world.mended()
    importing(world)
    assert until_done(world).counts["created"] == "no"
    importing(world)
    assert world.view(import_id).state == "held"
    assert len(at_carrier(world)) == 1


def test_numbers_whose_message_was_on_its_way_when_the_application_vanished_make_no_call(world: World) -> None:
    world.available("9192381001", **WISH)
    until_done(world)
    other = world.available(NUMBER, **WISH)
    late = world.grant(Task.IMPORT_NUMBERS)
    with world.ledger.write() as tx:
        tx.run(sa.update(applications).values(application_id=None, gone_id="a-gone"))
    before = len(world.sandbox.calls("catapult.numbers.create"))
    assert STEPS[Task.IMPORT_NUMBERS](world.job(world.take(late))) == Done({})
    assert len(world.sandbox.calls("catapult.numbers.create")) == before
    assert world.view(other).state == "running"
