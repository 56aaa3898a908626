"""The log: one masked line for each event, whoever writes it."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from config import logging as ours

SECRET = "canary-secret"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream that the log of a process named `test` goes to; whatever was set up before is restored."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    stream = io.StringIO()
    ours.configure("test", secrets=[SECRET], level="INFO", stream=stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.fixture
def last(stream: io.StringIO) -> Callable[[], dict[str, object]]:
    """Return the last event logged."""
    return lambda: json.loads(stream.getvalue().splitlines()[-1])


Last = Callable[[], dict[str, object]]


def test_an_event_is_a_line_of_json_that_says_who_and_when(last: Last) -> None:
    structlog.get_logger("tnimport.test").info("order submitted", import_id="imp-1", count=3)
    event = last()
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "order submitted",
        "import_id": "imp-1",
        "count": 3,
        "level": "info",
        "logger": "tnimport.test",
        "process": "test",
    }


def test_what_is_bound_for_a_task_is_in_its_events(last: Last) -> None:
    with structlog.contextvars.bound_contextvars(task_id="t-1"):
        structlog.get_logger().info("x")
    assert last()["task_id"] == "t-1"


@pytest.mark.parametrize("name", ["celery.worker", "celery.app.trace", "uvicorn.error", "sqlalchemy.engine", "other"])
def test_events_of_libraries_come_the_same_way(name: str, last: Last) -> None:
    logging.getLogger(name).warning("Task %(id)s got %(what)s", {"id": "i-1", "what": f"+19195551234 {SECRET}"})
    event = last()
    assert event["event"] == "Task i-1 got +1919***1234 [removed]"
    assert (event["logger"], event["level"], event["process"]) == (name, "warning", "test")


def test_a_logger_that_a_library_set_up_for_itself_is_taken_over(stream: io.StringIO) -> None:
    library = logging.getLogger("tests.library")
    library.addHandler(logging.StreamHandler(io.StringIO()))
    library.propagate = False
    library.disabled = True
    library.setLevel("CRITICAL")
    ours.configure("test", stream=stream)
    assert library.handlers == []
    assert library.propagate
    library.warning("heard")
    assert "heard" in stream.getvalue()


@pytest.mark.parametrize("key", ["password", "Authorization", "token", "api_key"])
def test_a_key_of_that_name_is_never_shown(key: str, last: Last) -> None:
    structlog.get_logger().info("x", **{key: "unregistered"})
    assert last()[key] == "[removed]"


def test_masks_reach_as_deep_as_values_lie(last: Last) -> None:
    structlog.get_logger().info(
        "x", body={"numbers": ["9195551234", 2065551234], "deep": {"password": "p", "k": SECRET}}
    )
    assert last()["body"] == {
        "numbers": ["919***1234", "206***1234"],
        "deep": {"password": "[removed]", "k": "[removed]"},
    }


def test_ids_and_counts_stay_whole_and_keep_their_kind(last: Last) -> None:
    structlog.get_logger().info("x", order_id="9195551234", rows=2065551234, ratio=0.5, done=True, nothing=None)
    event = last()
    assert event["order_id"] == "9195551234"
    assert event["rows"] == 2065551234
    assert (event["ratio"], event["done"], event["nothing"]) == (0.5, True, None)


def _fails() -> None:
    raise ValueError(f"{SECRET} refused for +19195551234, Authorization: Basic dTpwYXNzd29yZA==")


@pytest.mark.parametrize("name", ["", "celery.app.trace"])
def test_an_exception_is_logged_without_secret_header_or_number(name: str, stream: io.StringIO) -> None:
    logger = logging.getLogger(name) if name else structlog.get_logger()
    try:
        _fails()
    except ValueError:
        logger.exception("task failed")
    logged = stream.getvalue()
    assert "Traceback" in logged
    assert "+1919***1234" in logged
    for canary in (SECRET, "dTpwYXNzd29yZA", "9195551234"):
        assert canary not in logged


def test_warnings_are_events_too(stream: io.StringIO) -> None:
    # pytest puts its own catcher in place for each phase of a test, so ours is set up again inside of this one.
    logging.captureWarnings(capture=False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        ours.configure("test", secrets=[SECRET], stream=stream)
        warnings.warn(f"old {SECRET}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "old [removed]" in stream.getvalue()


def test_an_object_is_logged_as_its_text_masked(last: Last) -> None:
    structlog.get_logger().info("x", error=ValueError(SECRET))
    assert last()["error"] == "[removed]"


def test_less_than_the_level_is_not_logged(stream: io.StringIO) -> None:
    structlog.get_logger().debug("x")
    logging.getLogger("any").debug("x")
    logging.getLogger("urllib3.connectionpool").info("x")
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT INTO numbers …")
    assert stream.getvalue() == ""


def test_on_a_terminal_lines_are_for_people_and_as_masked(stream: io.StringIO) -> None:
    terminal = Terminal()
    ours.configure("test", secrets=[SECRET], stream=terminal)
    structlog.get_logger().info("order submitted", note=f"{SECRET} +19195551234")
    assert "order submitted" in terminal.getvalue()
    assert "+1919***1234" in terminal.getvalue()
    assert SECRET not in terminal.getvalue()
