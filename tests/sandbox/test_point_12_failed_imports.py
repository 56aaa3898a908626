"""The answers here are our own invention: no document tells what a failed import is answered with."""

from typing import Any

import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult, Dashboard


@pytest.mark.parametrize(
    "properties",
    [{"password": "wrong"}, {"userName": "RoadRunner"}, {"accountId": "1"}, {"accountId": "8888888"}],
)
def test_wrong_provider_credentials_are_403(
    catapult: Catapult, sandbox: RunningSandbox, provider: dict[str, Any], properties: dict[str, str]
) -> None:
    sandbox.put_in_service(["9195550001"])
    provider["properties"] |= properties
    answer = catapult.import_number("+19195550001", provider=provider)
    assert (answer.status, answer.json["code"]) == (403, "service-provider-access-denied")


def test_a_number_that_is_not_on_the_dashboard_is_404(catapult: Catapult, dashboard: Dashboard) -> None:
    answer = catapult.import_number("+19195550001")
    assert (answer.status, answer.json["code"]) == (404, "service-provider-number-not-found")
    dashboard.finished("9195550001")
    assert catapult.import_number("+19195550001").status == 201


def test_a_number_whose_order_is_not_finished_is_not_on_the_dashboard(
    catapult: Catapult, dashboard: Dashboard, sandbox: RunningSandbox
) -> None:
    sandbox.switch(order_outcome="stuck-processing")
    dashboard.order("9195550001")
    assert catapult.import_number("+19195550001").status == 404


def test_another_provider_is_unknown(catapult: Catapult, sandbox: RunningSandbox, provider: dict[str, Any]) -> None:
    sandbox.put_in_service(["9195550001"])
    provider["providerName"] = "acme"
    assert catapult.import_number("+19195550001", provider=provider).json["code"] == "service-provider-not-found"
