"""One line of JSON for each event of every process; on a terminal, lines for people. Nothing secret leaves here.

structlog, the standard library, Celery, uvicorn and SQLAlchemy all end in the same handler, and every event passes the
same two masks: telephone numbers (outside of keys known to hold none) and secrets (everywhere, the rendered line too).
"""

import logging
import logging.config
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.masking import REMOVED, mask_numbers, secret_remover

NUMBERLESS = frozenset(
    {
        *("timestamp", "level", "logger", "process", "pid", "thread", "duration", "seconds", "count", "rows", "status"),
        *("import_id", "order_id", "carrier_order_id", "customer_order_id", "application_id", "number_id"),
        *("message_id", "task_id", "task", "claim", "serial", "work", "account", "account_id", "lane"),
    }
)
"""Keys whose values are ids, counts and times of ours or the carrier's: never a telephone number."""
FORBIDDEN = frozenset(
    ["authorization", "password", "secret", "token", "api_key", "callback_secret", "webhook_secret", "cookie"]
)
"""Keys whose values are never logged, whatever they are."""
QUIET = ("urllib3", "kombu.connection", "amqp", "tornado.access", "httpx", "httpcore", "alembic", "sqlalchemy")
"""Loggers that speak of every call or statement they make, at several times its cost; their warnings are heard."""


def configure(process: str, *, secrets: Iterable[str] = (), level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log event of this process, from whatever library, to one masked stream.

    Args:
        process: bound to every event as `process`.
        secrets: values that must not appear; `Settings.secrets()`.
        level: the least level logged.
        stream: where to; standard output by default. A terminal gets lines for people, anything else JSON.
    """
    target = stream or sys.stdout
    remove = secret_remover(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(process),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        mask(remove),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if target.isatty() else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        MaskedFormatter(
            remove,
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    _take_over(handler, level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def mask(remove: Callable[[str], str]) -> Processor:
    """Return a processor that masks every value of an event, however deep it lies."""

    def processor(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        # structlog's own keys start with an underscore and hold records, not text.
        return {key: value if key.startswith("_") else _clean(key, value, remove) for key, value in event.items()}

    return processor


class MaskedFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders an event, and takes secrets out of the rendered line once more."""

    def __init__(self, remove: Callable[[str], str], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # passed through as they came
        self._remove = remove

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without secrets."""
        return self._remove(super().format(record))


def _clean(key: str, value: object, remove: Callable[[str], str]) -> object:
    if key.lower() in FORBIDDEN:
        return REMOVED
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Mapping):
        return {str(inner): _clean(str(inner), held, remove) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, item, remove) for item in value]
    if isinstance(value, int):
        masked = str(value) if key in NUMBERLESS else mask_numbers(str(value))
        return value if masked == str(value) else masked
    text = remove(value if isinstance(value, str) else str(value))
    return text if key in NUMBERLESS else mask_numbers(text)


def _naming(process: str) -> Processor:
    def processor(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        event.pop("color_message", None)  # uvicorn's second copy of its event
        return event

    return processor


def _take_over(handler: logging.Handler, level: str) -> None:
    """Make that handler the only one: loggers that libraries set up for themselves pass their events on to it."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
        logger.disabled = False
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
