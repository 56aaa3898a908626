import io
from collections.abc import Callable

import pytest

from tnimport.intake.rows import Row, Rows, read_rows

Read = Callable[..., list[Row]]


@pytest.fixture
def read() -> Read:
    """Read a whole body, given as text or bytes, of a media type."""

    def read(body: str | bytes, media_type: str = "text/csv", **options: object) -> list[Row]:
        raw = body.encode() if isinstance(body, str) else body
        return list(read_rows(io.BytesIO(raw), media_type, **options))  # type: ignore[arg-type]  # options by name

    return read


@pytest.fixture
def opened() -> Callable[..., Rows]:
    """The rows of a body before they are read, to look at their warnings."""

    def opened(body: bytes, media_type: str = "text/csv", **options: object) -> Rows:
        return read_rows(io.BytesIO(body), media_type, **options)  # type: ignore[arg-type]  # options by name

    return opened
