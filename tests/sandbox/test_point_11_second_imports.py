from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult, Dashboard


@pytest.fixture(autouse=True)
def on_the_dashboard(sandbox: RunningSandbox):
    sandbox.put_in_service([f"919555{line:04}" for line in (1, *range(900, 1000))])


def test_a_second_import_is_a_conflict(catapult: Catapult, sandbox: RunningSandbox) -> None:
    catapult.import_number("+19195550001")
    answer = catapult.import_number("+19195550001")
    assert (answer.status, answer.json["category"], answer.json["code"]) == (409, "conflict", "duplicate-number")
    effects = sandbox.state("effects")["effects"]["9195550001"]
    assert (effects["imports"], effects["conflicts"], effects["most_resources"]) == (1, 1, 1)


def test_nor_may_another_user_import_it(catapult: Catapult, other_catapult: Catapult) -> None:
    catapult.import_number("+19195550001")
    assert other_catapult.import_number("+19195550001").json["code"] == "duplicate-number"
    assert other_catapult.get("/phoneNumbers/%2B19195550001").status == 404


def test_a_number_of_someone_else_is_a_conflict_and_not_to_be_found(catapult: Catapult) -> None:
    assert catapult.import_number("+19195550930").json["code"] == "duplicate-number"
    assert catapult.get("/phoneNumbers/%2B19195550930").status == 404


def test_a_number_can_be_ours_already_on_another_application(catapult: Catapult) -> None:
    assert catapult.import_number("+19195550931").status == 409
    shown = catapult.get("/phoneNumbers/%2B19195550931").json
    assert shown["applicationId"] != catapult.application
    assert catapult.get(f"/applications/{shown['applicationId']}").status == 200


def test_a_number_can_be_ours_already_on_the_application_asked_for(catapult: Catapult) -> None:
    assert catapult.import_number("+19195550932").status == 409
    assert catapult.get("/phoneNumbers/%2B19195550932").json["applicationId"] == catapult.application


def test_an_unknown_application_is_404_and_a_foreign_one_403(catapult: Catapult, other_catapult: Catapult) -> None:
    unknown = catapult.import_number("+19195550001", applicationId="a-unknown")
    assert (unknown.status, unknown.json["code"]) == (404, "application-not-found")
    foreign = catapult.import_number("+19195550001", applicationId=other_catapult.make_application())
    assert (foreign.status, foreign.json["code"]) == (403, "application-access-denied")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"number": None}, "missing-property"),
        ({"number": "9195550001"}, "validation-error"),
        ({"number": 19195550001}, "validation-error"),
        ({"applicationId": None}, "missing-property"),
        ({"provider": None}, "missing-property"),
        ({"provider": {"providerName": "bandwidth-dashboard"}}, "missing-property"),
    ],
)
def test_a_bad_import_is_refused(catapult: Catapult, wanted: dict[str, object], code: str) -> None:
    answer = catapult.import_number("+19195550001", **wanted)
    assert (answer.status, answer.json["code"]) == (400, code)


def test_without_an_application_by_switch(catapult: Catapult, sandbox: RunningSandbox) -> None:
    sandbox.switch(require_application=False)
    assert catapult.import_number("+19195550001", applicationId=None).status == 201


def test_the_providers_password_is_told_to_nobody(
    catapult: Catapult, dashboard: Dashboard, sandbox: RunningSandbox
) -> None:
    catapult.import_number("+19195550001")
    catapult.import_number("+19195550001")
    catapult.import_number("+19195550935")
    answers = [
        catapult.get("/phoneNumbers"),
        catapult.get("/phoneNumbers/%2B19195550001"),
        dashboard.get("/externalTns"),
    ]
    dashboard.root = ""
    answers += [dashboard.get(f"/control/{page}") for page in ("state", "calls", "switches", "faults")]
    answers.append(dashboard.get("/"))
    for answer in answers:
        for secret in (b"catchThatBird", b"beepBeep!", b"s-1", b"s-2"):
            assert secret not in answer.body


def test_a_refused_import_does_not_echo_what_was_wrong_with_the_credentials(
    catapult: Catapult, provider: dict[str, Any]
) -> None:
    provider["properties"]["password"] = "my other password"
    assert b"my other password" not in catapult.import_number("+19195550001", provider=provider).body
