"""One event a line: JSON for machines, readable on a terminal; our own lines and the libraries' alike.

`structlog.contextvars.bound_contextvars(workspace=…, conversation=…, lane=…, batch_no=…)` puts these on
every line that is written inside it.
"""

from __future__ import annotations

import logging
import sys

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from config.error_text import traced
from config.log import LogSettings
from config.redaction import redact
from config.repetition import Repetition

_LOUD_LIBRARIES = ("aiokafka", "asyncio", "uvicorn.access", "alembic", "faust", "httpx", "httpcore", "jgo")
"""Libraries whose lines below a warning tell an operator nothing; with level `debug` they are shown."""

_INDISCREET_LIBRARIES = ("aiokafka.conn", "httpx")
"""Libraries that would show secrets with level `debug`: Kafka's password in a request, tokens in URLs."""


def configure_logging(log: LogSettings) -> None:
    """Send all lines, structlog's and stdlib's, through one pipeline to stderr. May be called again."""
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a later call must reach loggers that were made before
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(json=_wants_json(log)))
    handler.addFilter(Repetition("aiokafka"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())
    quiet = logging.NOTSET if log.level == "debug" else max(logging.WARNING, root.level)
    for name in _LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(quiet)
    for name in _INDISCREET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def _wants_json(log: LogSettings) -> bool:
    return log.format == "json" or (log.format == "auto" and not sys.stderr.isatty())


def _shared_processors() -> list[Processor]:
    """The processors that our own events and the libraries' go through, in this order."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatter(*, json: bool) -> logging.Formatter:
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    # Exceptions become text before the redaction, so that it sees what they say.
    last += [structlog.processors.ExceptionRenderer(_exception), redact]
    last.append(_render_json if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared_processors(), structlog.stdlib.ExtraAdder(), _without_reprs],
        processors=last,
    )


def _exception(exc_info: ExcInfo) -> str:
    error: BaseException | None = exc_info[1]  # a library may log with `exc_info` where nothing was raised
    return traced(error) if error is not None else ""


def _without_reprs(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """asyncio shows what has failed by its `repr`, and the error's words with it; its traceback follows."""
    if event["logger"] == "asyncio" and event.get("exc_info"):
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render the event as one line of JSON; what JSON has no form for is shown as `repr`."""
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module: `get_logger(__name__).info("lane taken", lane=3)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
