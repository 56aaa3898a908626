"""The input of an import: which bytes, of what type, and the key that makes repeating it harmless."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any, Self

from tnimport.cli.exits import Exit
from tnimport.cli.failure import Failure

TYPES = {
    "csv": "text/csv",
    "txt": "text/plain",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
}
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "txt", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_GZIP = b"\x1f\x8b"
_GZIP_WBITS = 31
_BOM = b"\xef\xbb\xbf"
_NOTHING = frozenset({b"", b"[]", b'{"numbers":[]}'})
_HEAD = 4096  # bytes that tell what the input is
_IN_MEMORY = 1 << 20
_PIECE = 1 << 16


@dataclass(frozen=True)
class Source:
    """An input that can be read more than once; as a context it closes its body."""

    body: IO[bytes]
    format: str
    gzipped: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.close()

    @property
    def is_bare_list(self) -> bool:
        """Whether this is plain JSON without the object that the API wants around the numbers."""
        head = self.body.read(_HEAD).lstrip()
        self.body.seek(0)
        return self.format == "json" and head.startswith(b"[")

    @property
    def headers(self) -> dict[str, str]:
        """The headers that describe the body."""
        self.body.seek(0, 2)
        length = {"content_type": TYPES[self.format], "content_length": str(self.body.tell())}
        self.body.seek(0)
        return length | ({"content_encoding": "gzip"} if self.gzipped else {})

    def key(self, options: dict[str, str]) -> str:
        """The hash of what is asked for: the bytes and the options, so that other options are another wish."""
        digest = hashlib.sha256(json.dumps([self.format, options], sort_keys=True).encode())
        self.body.seek(0)
        while piece := self.body.read(_PIECE):
            digest.update(piece)
        self.body.seek(0)
        return digest.hexdigest()

    def with_options(self, options: dict[str, Any]) -> Source:
        """This JSON input, which is closed, with the options among its members; they win over its own."""
        with self:
            document = _members(self) | _nested(options)
        return Source(_spooled([json.dumps(document).encode()]), "json", gzipped=False)


def opened(name: str, given_format: str | None) -> Source:
    """The input called `name`, `-` being standard input; a missing file ends the command with code 2."""
    body = _standard_input() if name == "-" else _file(name)
    head = body.read(_HEAD)
    body.seek(0)
    gzipped = head.startswith(_GZIP)
    if len(head) < _HEAD and _is_empty(head, gzipped=gzipped):
        body.close()
        raise Failure(f"{'Standard input' if name == '-' else name} is empty: nothing was sent.", Exit.REFUSED)
    return Source(body, given_format or _format(name, head, gzipped=gzipped), gzipped)


def _is_empty(whole: bytes, *, gzipped: bool) -> bool:
    """Whether there is nothing in the input but blanks, or an empty list."""
    if gzipped:
        import zlib  # noqa: PLC0415 - only for what is packed

        unpacker = zlib.decompressobj(_GZIP_WBITS)
        try:
            whole = unpacker.decompress(whole, _HEAD)
        except zlib.error:
            return False
        if not unpacker.eof:  # broken off: the API says so, as it does of what cannot be unpacked
            return False
    return len(whole) < _HEAD and b"".join(whole.removeprefix(_BOM).split()) in _NOTHING


def _standard_input() -> IO[bytes]:
    stream = sys.stdin.buffer
    return _spooled(iter(lambda: stream.read(_PIECE), b""))


def _spooled(pieces: Any) -> IO[bytes]:  # noqa: ANN401 - any iterable of bytes
    body = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by its Source
    for piece in pieces:
        body.write(piece)
    body.seek(0)
    return body


def _file(name: str) -> IO[bytes]:
    try:
        return open(name, "rb")  # noqa: PTH123 - lives as long as the command
    except OSError as fault:
        raise Failure(f"Cannot read {name}: {fault.strerror}.", Exit.USAGE) from None


def _format(name: str, head: bytes, *, gzipped: bool) -> str:
    path = PurePath(name)
    suffix = PurePath(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    known = _SUFFIXES.get(suffix.lower())
    if known is None and gzipped:
        raise Failure("What the gzipped input holds cannot be seen from outside; say --format.", Exit.USAGE)
    return known or _sniffed(head)


def _sniffed(head: bytes) -> str:
    first, _, more = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if first.startswith((b"{", b"[")):
        one_line_objects = first.rstrip().endswith(b"}") and more.lstrip().startswith(b"{")
        return "ndjson" if one_line_objects else "json"
    return "csv" if any(mark in first for mark in (b",", b";", b"\t")) else "txt"


def _members(source: Source) -> dict[str, Any]:
    import gzip  # noqa: PLC0415 - only for JSON with options

    try:
        raw = source.body.read()
        document = json.loads(gzip.decompress(raw) if source.gzipped else raw)
    except (ValueError, OSError, EOFError) as fault:
        raise Failure(f"The input is not JSON: {fault}.", Exit.REFUSED) from None
    if isinstance(document, list):
        return {"numbers": document}
    if not isinstance(document, dict):
        raise Failure('The input is JSON, but neither a list nor {"numbers": [...]}.', Exit.REFUSED)
    return document


def _nested(options: dict[str, Any]) -> dict[str, Any]:
    prefix = "application_"
    inner = {name.removeprefix(prefix): value for name, value in options.items() if name.startswith(prefix)}
    outer = {name: value for name, value in options.items() if not name.startswith(prefix)}
    return outer | ({"application": inner} if inner else {})
