import pytest

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Catapult, Dashboard


@pytest.mark.parametrize(("user", "password"), [("wileCoyote", "wrong"), ("WILECOYOTE", "catchThatBird"), ("", "")])
def test_the_dashboard_answers_wrong_credentials_with_an_empty_401(
    dashboard: Dashboard, user: str, password: str
) -> None:
    dashboard.user, dashboard.password = user, password
    answer = dashboard.get("/externalTns")
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(("user", "password"), [("t-1", "wrong"), ("t-2", "s-2"), ("", "")])
def test_catapult_answers_wrong_credentials_as_recorded(catapult: Catapult, user: str, password: str) -> None:
    catapult.user, catapult.password = user, password
    answer = catapult.get("/applications")
    assert answer.status == 401
    assert (answer.json["category"], answer.json["code"]) == ("authorization", "access-denied")


def test_catapult_answers_an_unknown_user_like_wrong_credentials(catapult: Catapult) -> None:
    catapult.root = "/v1/users/u-9"
    assert catapult.get("/applications").json["code"] == "access-denied"


def test_the_dashboard_denies_access_to_a_foreign_account(dashboard: Dashboard) -> None:
    dashboard.root = "/api/accounts/8888888"
    answer = dashboard.get("/externalTns")
    assert (answer.status, answer.text(".//ErrorCode")) == (403, "1001")
    assert answer.text(".//Description") == "Access Denied"


@pytest.mark.parametrize("header", ["Basic \xe9", "Basic", "Basic AAA", "Basic gA==", "Bearer x"])
def test_what_holds_no_credentials_is_answered_like_wrong_ones(
    dashboard: Dashboard, catapult: Catapult, header: str
) -> None:
    for api, path in ((dashboard, "/externalTns"), (catapult, "/applications")):
        assert api.call("GET", path, Authorization=header).status == 401


def test_credentials_come_before_paths_and_methods(dashboard: Dashboard, catapult: Catapult) -> None:
    for api, known in ((dashboard, "/externalTns"), (catapult, "/applications")):
        assert (api.get("/nothing").status, api.call("PUT", known).status) == (404, 405)
        api.password = "wrong"
        assert (api.get("/nothing").status, api.call("PUT", known).status) == (401, 401)


def test_a_foreign_account_is_denied_whatever_its_path(dashboard: Dashboard) -> None:
    dashboard.root = "/api/accounts/8888888"
    answer = dashboard.get("/nothing")
    assert (answer.status, answer.xml.tag, answer.text(".//ErrorCode")) == (403, "ErrorResponse", "1001")


@pytest.mark.parametrize("root", ["/v1/api", "/api/api", "/v2"])
def test_no_other_base_leads_to_the_dashboard(dashboard: Dashboard, root: str) -> None:
    dashboard.root = root
    assert dashboard.get("/accounts/9999999/sites").status == 404


def test_a_second_account_has_a_life_of_its_own(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    dashboard.finished("9195550001")
    dashboard.root, dashboard.user, dashboard.password = "/api/accounts/8888888", "roadRunner", "beepBeep!"
    assert dashboard.get("/inserviceNumbers").status == 204
    assert dashboard.finished("9195550001", SiteId="843", SipPeerId="403716").text("ProcessingStatus") == "COMPLETE"


@pytest.mark.parametrize("root", ["/api", "/v1.0", "/api/v1", "", "/API", "/api/"])
@pytest.mark.parametrize("path", ["/accounts/9999999/sites/743", "/Accounts/9999999/SITES/743/"])
def test_the_dashboard_is_found_below_every_base_in_any_letter_case(dashboard: Dashboard, root: str, path: str) -> None:
    dashboard.root = root
    assert dashboard.get(path).text(".//Name") == "Main office"


def test_a_path_that_does_not_exist_is_404_and_a_wrong_method_405(dashboard: Dashboard, catapult: Catapult) -> None:
    assert dashboard.get("/nothing").status == 404
    assert catapult.get("/nothing").json["category"] == "not-found"
    assert dashboard.call("DELETE", "/externalTns").headers["Allow"] == "GET, POST"
    assert catapult.call("PUT", "/applications").status == 405
