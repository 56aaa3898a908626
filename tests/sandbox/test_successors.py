"""importTnOrders, removeImportedTnOrders and importTnChecker, as far as they are documented."""

from sandbox.testing import RunningSandbox
from tests.sandbox.clients import Dashboard


def xml(root: str, *numbers: str, extra: str = ""):
    listed = "".join(f"<TelephoneNumber>{number}</TelephoneNumber>" for number in numbers)
    return (
        f"<{root}><CustomerOrderId>c 1</CustomerOrderId>{extra}<TelephoneNumbers>{listed}</TelephoneNumbers></{root}>"
    )


SITE = "<SiteId>743</SiteId><Subscriber><Name>ACME</Name></Subscriber>"


def test_an_import_order_lives_and_has_a_history(dashboard: Dashboard) -> None:
    made = dashboard.post("/importtnorders", xml("ImportTnOrder", "9195550001", "9195550900", extra=SITE))
    assert (made.status, made.xml.tag, made.xml[0].tag) == (201, "ImportTnOrdersResponse", "ImportTnOrder")
    assert made.text(".//LoaType") == "SUBSCRIBER"
    path = f"/importTnOrders/{made.text('.//OrderId')}"
    ended = dashboard.wait(path)
    assert (ended.xml.tag, ended.text("ProcessingStatus"), ended.text(".//Code")) == (
        "ImportTnOrder",
        "PARTIAL",
        "25060",
    )
    history = dashboard.get(f"{path}/history").xml
    assert [one.text for one in history.iter("Status")] == ["received", "processing", "partial"]
    summary = dashboard.get("/importTnOrders?customerOrderId=c%201").xml.find("ImportTnOrderSummary")
    assert (summary.findtext("CountOfTNs"), summary.findtext("OrderType")) == ("2", "import_tn_orders")
    assert dashboard.get(path.replace("importTnOrders", "externalTns")).status == 404


def test_a_wrong_site_is_accepted_and_fails_later(dashboard: Dashboard) -> None:
    made = dashboard.post("/importTnOrders", xml("ImportTnOrder", "9195550001", extra="<SiteId>999</SiteId>"))
    ended = dashboard.wait(f"/importTnOrders/{made.text('.//OrderId')}")
    assert (ended.text("ProcessingStatus"), ended.text(".//Code")) == ("FAILED", "5016")


def test_a_remove_order_removes(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    sandbox.put_in_service(["9195550001"])
    made = dashboard.post("/removeImportedTnOrders", xml("RemoveImportedTnOrder", "9195550001"))
    assert made.xml.tag == "RemoveImportedTnOrdersResponse"
    dashboard.wait(f"/removeImportedTnOrders/{made.text('.//OrderId')}")
    assert dashboard.get("/inserviceNumbers/9195550001").status == 404


def test_the_checker_parts_the_good_from_the_bad(dashboard: Dashboard, sandbox: RunningSandbox) -> None:
    answer = dashboard.post("/importTnChecker", xml("ImportTnCheckerPayload", "9195550001", "9195550900"))
    payload = answer.xml.find("ImportTnCheckerPayload")
    assert [one.text for one in payload.find("TelephoneNumbers")] == ["9195550001"]
    assert payload.findtext("ImportTnErrors/ImportTnError/Code") == "19006"
    assert dashboard.post("/importTnChecker", xml("ImportTnCheckerPayload")).status == 400
    sandbox.switch(feature_off=True)
    assert dashboard.post("/importTnChecker", xml("ImportTnCheckerPayload", "9195550001")).status == 400
