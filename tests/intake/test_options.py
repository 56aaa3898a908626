from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.accounts import Account
from tnimport.domain.life import Action
from tnimport.domain.reasons import is_known
from tnimport.intake.options import Application, ImportOptions, from_query, read_options
from tnimport.intake.problems import Problem, Refused
from tnimport.intake.request import request_from, resolve

BARE = Account(name="default", account_id="9999999")
FULL = Account(
    name="full",
    account_id="9999999",
    site_id="743",
    sip_peer_id="303716",
    application_id="a-own",
    callback_url="https://tn.example/callbacks/full",
)
ACCOUNTS = {"default": BARE, "full": FULL}
GOOD: dict[str, Any] = {"site_id": 743, "application": {"id": "a-1"}}
URL = "https://hooks.example/messages"


def problems_of(fields: Mapping[str, Any], accounts: Mapping[str, Account] = ACCOUNTS) -> dict[str, Problem]:
    with pytest.raises(Refused) as refused:
        request_from(fields, accounts)
    found = {one.pointer: one for one in refused.value.problems}
    assert len(found) == len(refused.value.problems)
    assert all(is_known(one.code) and one.detail and one.fix for one in found.values())
    return found


def codes_of(fields: Mapping[str, Any], accounts: Mapping[str, Account] = ACCOUNTS) -> dict[str, str]:
    return {pointer: one.code for pointer, one in problems_of(fields, accounts).items()}


def test_every_option_of_the_contract_reaches_the_request() -> None:
    request = request_from(
        {
            "site_id": 743,
            "sip_peer_id": 303716,
            "customer_order_id": " ICPA-123 ABC ",
            "action": "IMPORT",
            "application": {
                "name": "MyApp",
                "incoming_message_url": URL,
                "incoming_message_url_callback_timeout": 2000,
                "incoming_message_fallback_url": URL + "/later",
                "callback_http_method": "GET",
            },
            "account": "default",
            "client_ref": "batch 7",
            "max_per_minute": 30,
            "on_present": "refresh",
            "strict": True,
            "verify": "none",
        },
        ACCOUNTS,
    )
    assert (request.account, request.action) == (BARE, Action.IMPORT)
    assert (request.site_id, request.sip_peer_id) == ("743", "303716")
    assert (request.customer_order_id, request.client_ref) == ("ICPA-123 ABC", "batch 7")
    assert (request.max_per_minute, request.on_present, request.strict) == (30.0, "refresh", True)
    assert request.application == Application(
        name="MyApp",
        incoming_message_url=URL,
        incoming_message_url_callback_timeout=2000,
        incoming_message_fallback_url=URL + "/later",
        callback_http_method="GET",
    )


def test_what_the_caller_leaves_open_is_the_accounts() -> None:
    request = request_from({"account": "full", "strict": None}, ACCOUNTS)
    assert (request.site_id, request.sip_peer_id) == ("743", "303716")
    assert request.application == Application(id="a-own")
    assert (request.on_present, request.strict, request.max_per_minute) == ("skip", False, None)


def test_the_accounts_peer_is_not_taken_to_another_site() -> None:
    assert request_from({"account": "full", "site_id": "744"}, ACCOUNTS).sip_peer_id is None
    assert request_from({"account": "full", "site_id": "743"}, ACCOUNTS).sip_peer_id == "303716"


def test_a_named_application_calls_our_own_callback_unless_told_otherwise() -> None:
    ours = request_from({"account": "full", "application": {"name": "MyApp"}}, ACCOUNTS).application
    theirs = request_from({"account": "full", "application": {"name": "MyApp", "incoming_message_url": URL}}, ACCOUNTS)
    assert ours == Application(name="MyApp", incoming_message_url="https://tn.example/callbacks/full/messages")
    assert theirs.application == Application(name="MyApp", incoming_message_url=URL)


def test_without_a_word_of_an_application_ours_is_meant_where_we_can_be_called() -> None:
    account = replace(FULL, application_id=None, fallback_url="https://two.example/full", callback_timeout=0.5)
    ours = Application(
        name="tnimport",
        incoming_message_url="https://tn.example/callbacks/full/messages",
        incoming_message_fallback_url="https://two.example/full/messages",
        incoming_message_url_callback_timeout=500,
    )
    assert request_from({}, {"full": account}).application == ours
    own = {"incoming_message_fallback_url": URL, "incoming_message_url_callback_timeout": 9, "name": "tnimport"}
    asked = request_from({"application": own}, {"full": account}).application
    assert asked == ours.model_copy(update=own)
    assert codes_of({}, {"full": replace(account, callback_url=None)}) == {"/application": "required"}


def test_the_only_account_there_is_needs_no_name() -> None:
    assert request_from({}, {"full": FULL}).account == FULL


def test_a_removal_needs_a_site_and_takes_no_application() -> None:
    request = request_from({"action": "REMOVE", "site_id": 743}, ACCOUNTS)
    assert (request.action, request.application) == (Action.REMOVE, None)
    assert request_from({"action": "REMOVE", "account": "full"}, ACCOUNTS).application is None
    assert codes_of({**GOOD, "action": "REMOVE"}) == {"/application": "not_with_remove"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("site_id", "north", "invalid_value"),
        ("site_id", True, "invalid_value"),
        ("site_id", 7.5, "invalid_value"),
        ("site_id", "", "invalid_value"),
        ("site_id", "٧٤٣", "invalid_value"),
        ("sip_peer_id", -1, "invalid_value"),
        ("customer_order_id", "x" * 41, "invalid_value"),
        ("customer_order_id", "a_b", "invalid_value"),
        ("customer_order_id", "café", "invalid_value"),
        ("customer_order_id", " ", "invalid_value"),
        ("customer_order_id", " " + "x" * 41 + " ", "invalid_value"),
        ("customer_order_id", 123, "invalid_value"),
        ("action", "import", "invalid_value"),
        ("application", "a-1", "invalid_value"),
        ("account", "nobody", "unknown_account"),
        ("account", "", "invalid_value"),
        ("client_ref", "", "invalid_value"),
        ("client_ref", "x" * 256, "invalid_value"),
        ("client_ref", "a\0b", "invalid_value"),
        ("client_ref", "\ud800", "invalid_value"),
        ("max_per_minute", 0, "invalid_value"),
        ("max_per_minute", "fast", "invalid_value"),
        ("max_per_minute", float("inf"), "invalid_value"),
        ("on_present", "replace", "invalid_value"),
        ("strict", "perhaps", "invalid_value"),
        ("verify", "sample", "no_callback"),
        ("verify", "all", "no_callback"),
        ("verify", "some", "invalid_value"),
        ("verify", [], "invalid_value"),
        ("notify_url", "ftp://example.com/x", "invalid_url"),
        ("notify_url", "https://u:p@example.com/x", "url_with_credentials"),
        ("notify_url", f"https://example.com/{'x' * 2048}", "invalid_url"),
        ("sitee_id", 1, "unknown_field"),
    ],
)
def test_a_wrong_option_is_refused_and_named(field: str, value: object, code: str) -> None:
    assert codes_of({**GOOD, field: value}) == {f"/{field}": code}


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("action", "import", "It must be IMPORT or REMOVE."),
        ("application", "a-1", "It must be an object."),
        ("client_ref", "x" * 256, "It has 256 characters, and may have 255 at most."),
        ("max_per_minute", 0, "It must be more than 0."),
        ("max_per_minute", 2e6, "It must be at most 1,000,000."),
        ("max_per_minute", "fast", "It must be a number."),
        ("max_per_minute", [], "It must be a number."),
        ("max_per_minute", float("inf"), "It must be a number."),
        ("strict", "perhaps", "It must be true or false."),
        ("strict", [], "It must be true or false."),
        ("verify_count", 0, "It must be at least 1."),
        ("verify_count", 1.5, "It must be a whole number."),
        ("verify_count", {}, "It must be a whole number."),
        ("verify_count", "9" * 5000, "It must be a whole number."),
    ],
)
def test_a_wrong_option_is_told_of_in_our_words(field: str, value: object, detail: str) -> None:
    assert problems_of({**GOOD, field: value})[f"/{field}"].detail == detail


def test_a_notify_url_needs_a_secret_to_sign_with() -> None:
    signing = {"default": replace(BARE, signs=True)}
    assert request_from({**GOOD, "notify_url": URL}, signing).notify_url == URL
    problem = problems_of({**GOOD, "notify_url": URL})["/notify_url"]
    assert problem.code == "not_signed"
    assert "TNIMPORT_WEBHOOK_SECRET" in problem.fix


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        ({}, {"/application/name": "required", "/application/incoming_message_url": "required"}),
        ({"name": "MyApp"}, {"/application/incoming_message_url": "required"}),
        ({"incoming_message_url": URL}, {"/application/name": "required"}),
        ({"id": "a-1", "name": "MyApp"}, {"/application": "ambiguous_application"}),
        ({"idd": "a-1"}, {"/application/idd": "unknown_field"}),
        ({"name": "", "incoming_message_url": URL}, {"/application/name": "invalid_value"}),
        (
            {"incoming_message_url": "nowhere"},
            {"/application/name": "required", "/application/incoming_message_url": "invalid_url"},
        ),
        (
            {"id": "a-1", "incoming_message_url_callback_timeout": 10_001},
            {"/application/incoming_message_url_callback_timeout": "invalid_value"},
        ),
        (
            {"name": "MyApp", "incoming_message_url": URL, "callback_http_method": "PUT"},
            {"/application/callback_http_method": "invalid_value"},
        ),
    ],
)
def test_an_application_is_an_id_or_a_name_with_its_url(application: object, expected: dict[str, str]) -> None:
    assert codes_of({"site_id": 743, "application": application}) == expected


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/",
        "hooks.example/messages",
        "https://",
        "https:///path",
        "https://hooks.example:port/",
        "https://[::1/",
        "https://hooks.example/with blank",
        "https://hooks.example/\n",
        "https://hooks.exämple/",
        "https://hooks.example/" + "x" * 2048,
        "",
        5,
    ],
)
def test_a_url_must_be_one_that_can_be_called(url: object) -> None:
    fields = {"site_id": 743, "application": {"name": "MyApp", "incoming_message_url": url}}
    assert codes_of(fields) == {"/application/incoming_message_url": "invalid_url"}


@pytest.mark.parametrize("url", ["https://me:canary@hooks.example/", "https://canary@hooks.example/"])
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    fields = {"site_id": 743, "application": {"name": "MyApp", "incoming_message_url": url}}
    (problem,) = problems_of(fields).values()
    assert problem.code == "url_with_credentials"
    assert "canary" not in repr(problem)


def test_all_problems_are_told_at_once_those_of_the_values_and_those_of_the_whole() -> None:
    fields = {"applicaton": {"id": "a-1"}, "action": "ADD", "max_per_minute": -1, "strict": "perhaps"}
    assert codes_of(fields) == {
        "/applicaton": "unknown_field",
        "/action": "invalid_value",
        "/max_per_minute": "invalid_value",
        "/strict": "invalid_value",
        "/site_id": "required",
        "/application": "required",
    }


@pytest.mark.parametrize(
    ("fields", "pointer", "fix"),
    [
        ({"sip_peer": 1}, "/sip_peer", "Did you mean sip_peer_id?"),
        ({"Site_ID": 1}, "/Site_ID", "Did you mean site_id?"),
        ({"application": {"id": "a", "nam": "b"}}, "/application/nam", "Did you mean name?"),
        ({"account": "ful"}, "/account", "Did you mean full?"),
    ],
)
def test_the_nearest_name_is_proposed(fields: dict[str, Any], pointer: str, fix: str) -> None:
    assert problems_of({**GOOD, **fields})[pointer].fix == fix


def test_a_name_like_no_other_gets_the_catalogues_advice_and_a_safe_pointer() -> None:
    assert problems_of({**GOOD, "a/b~c": 1})["/a~1b~0c"].fix.startswith("Correct its name")
    assert max(map(len, problems_of({**GOOD, "x" * 5000: 1}))) < 100


def test_options_that_are_sound_are_resolved_without_reading_them_again() -> None:
    options, problems = read_options(GOOD)
    assert problems == ()
    assert resolve(options, ACCOUNTS) == request_from(GOOD, ACCOUNTS)
    assert options == ImportOptions(site_id="743", application=Application(id="a-1"))


def test_query_parameters_are_the_same_options() -> None:
    query = {"site_id": "743", "application_name": "MyApp", "application_incoming_message_url": URL, "strict": "true"}
    query |= {"max_per_minute": "30", "application_incoming_message_url_callback_timeout": "500"}
    fields = from_query({**query, "column": "phone", "charset": "utf-8"})
    request = request_from(fields, ACCOUNTS)
    assert request.application == Application(
        name="MyApp", incoming_message_url=URL, incoming_message_url_callback_timeout=500
    )
    assert (request.site_id, request.strict, request.max_per_minute) == ("743", True, 30.0)


def test_an_unknown_query_parameter_is_an_unknown_field() -> None:
    assert codes_of(from_query({"site_id": "1", "application_id": "a-1", "colum": "2"})) == {"/colum": "unknown_field"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(sorted(ImportOptions.model_fields)) | st.text(max_size=8)
inner_names = st.sampled_from(sorted(Application.model_fields)) | st.text(max_size=8)
any_fields = st.dictionaries(names, json_values, max_size=5)
any_application = st.dictionaries(inner_names, json_values, max_size=4)


@given(any_fields, any_application, st.booleans())
def test_whatever_a_caller_writes_is_a_request_or_is_refused_with_known_codes(
    fields: dict[str, Any], application: dict[str, Any], with_application: bool
) -> None:
    given_fields = {**fields, "application": application} if with_application else fields
    assert all(map(is_known, _codes(given_fields)))


def _codes(fields: dict[str, Any]) -> list[str]:
    try:
        assert request_from(fields, ACCOUNTS).site_id.isdigit()
    except Refused as refused:
        return [one.code for one in refused.problems]
    return []
