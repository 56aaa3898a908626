import re
from pathlib import Path

import pytest

from tnimport.domain.reasons import WARNINGS, all_reasons, is_known, reason_for

REASONS = list(all_reasons())
PAGE = Path(__file__).parents[2] / "docs" / "reasons.md"

DASHBOARD = [
    "1000",
    "1001",
    "1003",
    "1008",
    "1010",
    "5008",
    "5012",
    "5016",
    "5019",
    "5020",
    "5022",
    "5023",
    "5051",
    "5052",
    "5061",
    "5070",
    "5072",
    "5073",
    "5076",
    "5081",
    "5086",
    "5093",
    "5095",
    "5124",
    "7201",
    "7309",
    "7312",
    "7318",
    "7518",
    "12016",
    "12103",
    "13512",
    "13552",
    "13563",
    "25000",
    "25010",
    "25020",
    "25030",
    "25040",
    "25050",
    "25060",
    "25070",
    "25080",
    "25090",
    "25100",
    "25110",
    "25120",
    "25130",
    "25131",
] + [str(code) for code in range(19001, 19013)]
CATAPULT = [
    "validation-error",
    "blank-property",
    "missing-property",
    "message-delay-limit",
    "access-denied",
    "user-access-denied",
    "number-access-denied",
    "no-allocated-number",
    "application-access-denied",
    "insufficient-available-balance",
    "message-rate-limit",
    "message-rate-limit-overall",
    "message-rate-limit-per-tn",
    "multi-message-limit",
    "restricted-number",
    "application-not-found",
    "number-not-found",
    "message-not-found",
    "user-not-found",
    "duplicate-number",
    "number-allocator-unavailable",
    "number-allocator-timeout",
    "gateway-unavailable",
    "no-application-for-number",
    "service-provider-not-found",
    "service-provider-configuration-error",
    "duplicate-service-provider",
]


def test_every_code_that_the_carrier_documents_has_a_reason_of_its_own() -> None:
    assert [code for code in DASHBOARD + CATAPULT if not is_known(code) or reason_for(code).code != code] == []


OWN = (
    "duplicate present cancelled unaccounted order_failed order_gone needs_attention application_conflict not_there"
    " timeout connect_timeout connection_refused connection_failed connection_lost dns_failure tls_failure redirected"
    " unreadable_answer truncated_answer wrong_answer answer_too_large doctype_refused missing_location list_incomplete"
    " too_large invalid_request invalid_id http_4xx http_5xx"
)


@pytest.mark.parametrize("code", OWN.split())
def test_every_code_that_we_give_ourselves_has_a_reason(code: str) -> None:
    assert reason_for(code).title != "Unknown code"


@pytest.mark.parametrize("code", ["401", "", "no-such-code", "99999", "http_999", "http_40"])
def test_an_unknown_code_is_permanent_keeps_its_name_and_is_called_unknown(code: str) -> None:
    reason = reason_for(code)
    assert (reason.code, reason.kind, reason.retryable) == (code, "permanent", False)
    assert reason.title == "Unknown code"
    assert not is_known(code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("http_400", "permanent"),
        ("http_404", "permanent"),
        ("http_500", "transient"),
        ("http_503", "transient"),
        ("http_429", "transient"),
        ("http_408", "transient"),
        ("http_401", "account"),
    ],
)
def test_a_status_without_a_code_is_judged_by_its_family_unless_it_has_its_own_line(code: str, kind: str) -> None:
    reason = reason_for(code)
    assert (reason.code, reason.kind) == (code, kind)
    assert is_known(code)


@pytest.mark.parametrize("code", ["access-denied", "http_401", "1001", "5012", "5051", "25010", "12103"])
def test_faults_of_the_account_hold_all_its_imports(code: str) -> None:
    assert (reason_for(code).kind, reason_for(code).scope) == ("account", "account")


@pytest.mark.parametrize(
    "code",
    [
        "5016",
        "5022",
        "5020",
        "5023",
        "7309",
        "7312",
        "12016",
        "13563",
        "application-not-found",
        "application-access-denied",
    ],
)
def test_a_wrong_site_peer_or_application_holds_one_import(code: str) -> None:
    assert (reason_for(code).kind, reason_for(code).scope) == ("account", "import")


def test_every_reason_is_told_in_sentences_and_is_of_one_mind() -> None:
    for reason in REASONS:
        assert reason.title == reason.title.strip(), reason
        assert not reason.title.endswith("."), reason
        assert reason.cause.endswith("."), reason
        assert reason.fix.endswith((".", "}.")), reason
        assert (reason.scope is not None) == (reason.kind == "account"), reason
        assert reason.retryable or reason.kind == "permanent", reason


def test_no_code_stands_in_two_groups() -> None:
    # A code of two groups would silently lose one of its meanings, and so the page would miss a line.
    codes = re.findall(r"^\[(?:\w+)\.([\w-]+)\]", _catalogue_text(), flags=re.MULTILINE)
    assert len(codes) == len(set(codes)) == len(REASONS)


def test_the_page_tells_exactly_what_the_catalogue_tells() -> None:
    expected = [
        f"| `{r.code}` | **{r.title}.** {r.cause} | {r.fix} | {r.scope or r.kind} | {'yes' if r.retryable else 'no'} |"
        for r in REASONS
    ]
    warnings = [f"| `{code}` | {meaning} |" for code, meaning in WARNINGS.items()]
    assert [line for line in PAGE.read_text().splitlines() if line.startswith("| `")] == expected + warnings


def _catalogue_text() -> str:
    return (Path(__file__).parents[2] / "tnimport" / "domain" / "reasons.toml").read_text()
