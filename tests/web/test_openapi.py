"""The OpenAPI document, and whatever schemathesis can think of against it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from sqlalchemy.exc import OperationalError

from tnimport.domain.accounts import Account
from tnimport.ledger import migrate
from tnimport.ledger.engine import Ledger
from tnimport.web.access.keyring import Keyring
from tnimport.web.access.keys import Scope, make, written
from tnimport.web.app import WebDeps, create_app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.conftest import Serve, Web

DECLARED = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
CHECKS = [not_a_server_error, *DECLARED]


BRIEF = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@settings(BRIEF, max_examples=250)
@given(data=st.data())
def test_no_request_gets_more_than_the_document_promises(web: Web, data: st.DataObject) -> None:
    operations, import_id = _operations(web)
    case = data.draw(data.draw(st.sampled_from(operations)).as_strategy())
    # An id or a number that exists is nothing that chance finds.
    if case.path_parameters and data.draw(st.booleans()):
        known = {"import_id": import_id, "number": "9195550001"}
        case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
    case.call_and_validate(checks=CHECKS, session=web.session)


class LedgerAway:
    """A ledger whose database does not answer."""

    def __getattr__(self, _name: str) -> Any:
        raise OperationalError("SELECT 1", {}, ConnectionError("away"))


@pytest.fixture
def keyed(serve: Serve, ledger: Ledger, tmp_path: Path) -> Web:
    """The application with a key that may only read, which its callers present or not."""
    key, token = make("reader", Scope.READ, accounts=["default"])
    (tmp_path / "keys.toml").write_text(written([key]))
    found = serve(ledger, keyring=Keyring(tmp_path / "keys.toml"), hosts=None)
    found.session.headers["X-Token"] = token
    return found


@pytest.fixture
def without_ledger(serve: Serve) -> Web:
    """The application while the ledger is away."""
    return serve(LedgerAway())


@pytest.fixture
def with_broken_keys(serve: Serve, ledger: Ledger, tmp_path: Path) -> Web:
    """The application whose keys cannot be read."""
    (tmp_path / "keys.toml").write_text("no toml")
    return serve(ledger, keyring=Keyring(tmp_path / "keys.toml"), hosts=None)


@pytest.mark.parametrize(
    ("place", "statuses"),
    [("keyed", {401, 403}), ("without_ledger", {503}), ("with_broken_keys", {503})],
)
def test_what_keeps_a_request_from_being_served_is_in_the_document(
    request: pytest.FixtureRequest, place: str, statuses: set[int]
) -> None:
    web: Web = request.getfixturevalue(place)
    token = web.session.headers.pop("X-Token", "tni_a_b")
    schema = schemathesis.openapi.from_url(f"{web.url}/openapi.json")
    seen: set[int] = set()

    @settings(BRIEF, max_examples=40)
    @given(data=st.data(), known=st.booleans())
    def ask(data: st.DataObject, *, known: bool) -> None:
        operations = [result.ok() for result in schema.get_all_operations()]
        case = data.draw(data.draw(st.sampled_from(operations)).as_strategy())
        case.headers = {**(case.headers or {}), **({"Authorization": f"Bearer {token}"} if known else {})}
        seen.add(case.call_and_validate(checks=DECLARED, session=web.session).status_code)

    ask()
    assert seen >= statuses


@cache
def _operations(web: Web) -> tuple[list[Any], str]:
    import_id = web.submit("9195550001", "hello")
    schema = schemathesis.openapi.from_url(f"{web.url}/openapi.json")
    return [result.ok() for result in schema.get_all_operations()], import_id


def test_the_document_is_openapi_3_1_and_every_operation_tells_its_problems(web: Web) -> None:
    document = web.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            assert "HTTPValidationError" not in str(operation)


def test_the_document_tells_what_the_door_and_the_ledger_answer_and_the_headers_of_what_is_accepted(web: Web) -> None:
    paths = web.get("/openapi.json").json()["paths"]
    behind_the_door = [path for path in paths if path.startswith("/v1/") or path == "/metrics"]
    assert len(behind_the_door) > 10
    for path in behind_the_door:
        for operation in paths[path].values():
            assert {"401", "403", "503"} <= operation["responses"].keys(), path
            assert "Retry-After" in operation["responses"]["503"]["headers"]
            examples = operation["responses"]["503"]["content"]["application/problem+json"]["examples"]
            assert examples.keys() == {"keys-unreadable", "ledger-unavailable"}
    accepted = paths["/v1/imports"]["post"]["responses"]["202"]["headers"]
    assert accepted.keys() == {"Location", "Retry-After", "Idempotent-Replayed"}


def test_the_document_needs_no_account_and_names_none(sqlite_url: str) -> None:
    opened = Ledger(sqlite_url)
    migrate.upgrade(opened)
    account = Account(name="canary", account_id="canary")
    app = create_app(WebDeps(ledger=opened, accounts={"canary": account}))
    assert "canary" not in str(app.openapi())
    opened.close()
