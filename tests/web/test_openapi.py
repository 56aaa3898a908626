"""The OpenAPI document, and whatever schemathesis can think of against it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tnimport.domain.accounts import Account
from tnimport.ledger import migrate
from tnimport.ledger.engine import Ledger
from tnimport.web.app import WebDeps, create_app

if TYPE_CHECKING:
    from tests.web.conftest import Web

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_request_gets_more_than_the_document_promises(web: Web, data: st.DataObject) -> None:
    operations, import_id = _operations(web)
    case = data.draw(data.draw(st.sampled_from(operations)).as_strategy())
    # An id or a number that exists is nothing that chance finds.
    if case.path_parameters and data.draw(st.booleans()):
        known = {"import_id": import_id, "number": "9195550001"}
        case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
    case.call_and_validate(checks=CHECKS, session=web.session)


@cache
def _operations(web: Web) -> tuple[list[Any], str]:
    import_id = web.submit("9195550001", "hello")
    schema = schemathesis.openapi.from_url(f"{web.url}/openapi.json")
    return [result.ok() for result in schema.get_all_operations()], import_id


def test_the_document_is_openapi_3_1_and_every_operation_tells_its_problems(web: Web) -> None:
    document = web.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            assert "HTTPValidationError" not in str(operation)


def test_the_document_needs_no_account_and_names_none(sqlite_url: str) -> None:
    opened = Ledger(sqlite_url)
    migrate.upgrade(opened)
    account = Account(name="canary", account_id="canary")
    app = create_app(WebDeps(ledger=opened, accounts={"canary": account}))
    assert "canary" not in str(app.openapi())
    opened.close()
