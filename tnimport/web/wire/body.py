"""Request bodies of any size, in bounded memory."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Final

from fastapi import Request

from tnimport.web.wire.problems import too_large

IN_MEMORY: Final = 1 << 20
BODY_LIMIT: Final = "body_bytes"


@asynccontextmanager
async def spooled(request: Request, maximum: int) -> AsyncIterator[IO[bytes]]:
    """The body as a file at its beginning: in memory while small, then on disk. Too large raises ProblemError.

    A body beyond the limit is still read for as long again, so that a client that sends first and reads
    later gets the answer instead of a broken connection.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
        size = 0
        if _announced(request) > 2 * maximum:
            raise too_large(BODY_LIMIT, maximum, "bytes")
        async for piece in request.stream():
            size += len(piece)
            if size > 2 * maximum:
                break
            if size <= maximum:
                body.write(piece)
        if size > maximum:
            raise too_large(BODY_LIMIT, maximum, "bytes")
        body.seek(0)
        yield body


def _announced(request: Request) -> int:
    """The length that was announced; what is sent is counted all the same."""
    length = request.headers.get("content-length", "0")
    return int(length[:20]) if length.isascii() and length.isdecimal() else 0
