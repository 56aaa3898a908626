import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Answer, Dashboard


def listed(answer: Answer):
    return [one.text for one in answer.xml.findall("Order/TelephoneNumbers/TelephoneNumber")]


def failed(answer: Answer):
    return {
        error.findtext("Code"): [one.text for one in error.iter("TelephoneNumber")]
        for error in answer.xml.findall("Errors/Error")
    }


def test_one_error_groups_the_numbers_that_failed_alike(dashboard: Dashboard) -> None:
    answer = dashboard.finished("9195550001", "9195550900", "9195560900", "9195550901")
    assert answer.text("ProcessingStatus") == "PARTIAL"
    assert failed(answer) == {"25060": ["9195550900", "9195560900"], "25070": ["9195550901"]}
    assert listed(answer) == ["9195550001", "9195550900", "9195560900", "9195550901"]


@pytest.mark.parametrize(
    ("number", "code"),
    [("9195550902", "25090"), ("9195550903", "25080"), ("9195550904", "13552"), ("0115550001", "7201")],
)
def test_each_failing_number_has_its_code(dashboard: Dashboard, number: str, code: str) -> None:
    assert failed(dashboard.finished("9195550001", number)) == {code: [number]}


def test_a_failed_number_can_be_missing_from_the_list(dashboard: Dashboard) -> None:
    answer = dashboard.finished("9195550001", "9195550905")
    assert listed(answer) == ["9195550001"]
    assert failed(answer) == {"25060": ["9195550905"]}


def test_by_switch_every_failed_number_is_missing_from_the_list(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.switch(failed_numbers_listed=False)
    assert listed(dashboard.finished("9195550001", "9195550900")) == ["9195550001"]


def test_an_unaccounted_number_stands_in_neither_list(dashboard: Dashboard) -> None:
    answer = dashboard.finished("9195550001", "9195550906")
    assert (answer.text("ProcessingStatus"), listed(answer), failed(answer)) == ("COMPLETE", ["9195550001"], {})
    assert dashboard.get("/inserviceNumbers/9195550906").status == 404


def test_an_order_of_failures_only_has_failed(dashboard: Dashboard) -> None:
    assert dashboard.finished("9195550900").text("ProcessingStatus") == "FAILED"


def test_a_number_can_fail_in_its_first_order_only(dashboard: Dashboard) -> None:
    assert failed(dashboard.finished("9195550907")) == {"5086": ["9195550907"]}
    assert dashboard.finished("9195550907").text("ProcessingStatus") == "COMPLETE"


def test_a_number_can_be_reported_good_and_not_be_there(dashboard: Dashboard) -> None:
    assert dashboard.finished("9195550908").text("ProcessingStatus") == "COMPLETE"
    assert dashboard.get("/inserviceNumbers/9195550908").status == 404
