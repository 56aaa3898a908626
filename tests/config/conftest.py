import pytest

ACCOUNT = {
    "TNIMPORT_ACCOUNT_ID": "9999999",
    "TNIMPORT_DASHBOARD_USERNAME": "wileCoyote",
    "TNIMPORT_DASHBOARD_PASSWORD": "canary-dashboard-password",
    "TNIMPORT_CATAPULT_USER_ID": "u-1",
    "TNIMPORT_CATAPULT_TOKEN": "t-canary-token",
    "TNIMPORT_CATAPULT_SECRET": "canary-catapult-secret",
}


@pytest.fixture
def account() -> dict[str, str]:
    """The variables of one whole account; the secrets contain the word canary."""
    return dict(ACCOUNT)
