"""Which imports may ask for proof: messages to their numbers have to come to us."""

from dataclasses import replace
from typing import Any

import pytest

from tnimport.domain.accounts import Account
from tnimport.intake.problems import Refused
from tnimport.intake.request import ImportRequest, request_from

OURS = "https://tn.example/callbacks/default"
CALLED = Account(name="default", account_id="9", site_id="743", application_id="a-own", callback_url=OURS)
NAMED = {"name": "ours"}


def asked(account: Account = CALLED, **fields: Any) -> ImportRequest:
    return request_from({"verify": "all", **fields}, {"default": account})


def codes(account: Account = CALLED, **fields: Any) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        asked(account, **fields)
    return {one.pointer: one.code for one in refused.value.problems}


@pytest.mark.parametrize(
    "application",
    [None, {"id": "a-own"}, NAMED, NAMED | {"incoming_message_url": f"{OURS}/messages", "callback_http_method": "GET"}],
)
def test_an_application_that_calls_us_lets_numbers_be_proven(application: dict[str, str] | None) -> None:
    request = asked(application=application, verify="sample", verify_count=7)
    assert (request.verify, request.verify_count) == ("sample", 7)


@pytest.mark.parametrize("application", [{"id": "a-other"}, NAMED | {"incoming_message_url": "https://x.example/m"}])
def test_an_application_that_calls_others_does_not(application: dict[str, str]) -> None:
    assert codes(application=application) == {"/verify": "callback_elsewhere"}


def test_without_an_address_of_ours_nothing_can_be_proven() -> None:
    assert codes(replace(CALLED, callback_url=None)) == {"/verify": "no_callback"}


def test_a_removal_proves_nothing() -> None:
    assert codes(action="REMOVE") == {"/verify": "not_with_remove"}


def test_a_sample_of_one_needs_a_partner() -> None:
    assert codes(verify="sample", verify_count=1) == {"/verify_count": "no_partner"}
    assert asked(replace(CALLED, verify_partner="2062381000"), verify="sample", verify_count=1).verify_count == 1


@pytest.mark.parametrize("verify", ["none", "all"])
def test_a_count_belongs_to_a_sample(verify: str) -> None:
    assert codes(verify=verify, verify_count=3) == {"/verify_count": "not_with_all"}


@pytest.mark.parametrize("count", [0, -1, 100_001, "some", 1.5])
def test_a_sample_has_a_size(count: object) -> None:
    assert codes(verify="sample", verify_count=count) == {"/verify_count": "invalid_value"}


def test_a_query_says_it_as_well() -> None:
    assert asked(verify="sample", verify_count="12").verify_count == 12
