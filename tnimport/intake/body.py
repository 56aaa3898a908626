"""From a body's bytes to lines of text: unpacked within a limit, decoded, and known not to be a spreadsheet."""

import codecs
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import IO, BinaryIO, Final

from tnimport.intake.problems import Refused, problem

MAX_BYTES: Final = 256 * 2**20
LONGEST_LINE: Final = 2**20
_CHUNK: Final = 2**16
_GZIP: Final = b"\x1f\x8b"
_GZIP_WBITS: Final = 31
_SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_NO_TEXTS: Final = (b"%pdf", b"<!doctype", b"<html", b"<?xml", b"\x89png")
_BOMS: Final = (  # the longer first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def begins_gzipped(stream: IO[bytes]) -> bool:
    """Whether the body, which is at its beginning and stays there, has the first bytes of gzip."""
    first = stream.read(len(_GZIP))
    stream.seek(0)
    return first == _GZIP


def read_chunks(stream: BinaryIO, max_bytes: int = MAX_BYTES) -> Iterator[bytes]:
    """The body in pieces, unpacked if it is gzipped; Refused as soon as more than `max_bytes` have come out."""
    left = max_bytes
    for chunk in _unpacked(_pieces(stream)):
        left -= len(chunk)
        if left < 0:
            raise Refused([problem("too_large", detail=f"The body has more than {max_bytes} bytes.")])
        yield chunk


def read_lines(chunks: Iterator[bytes], charset: str | None, warnings: Counter[str]) -> Iterator[str]:
    r"""The text's lines, each ending in `\n` but perhaps the last.

    A byte order mark decides on the encoding, then `charset`, then UTF-8 with Windows-1252 from the first byte on that
    UTF-8 does not allow, which is counted in `warnings`.
    """
    rest = ""
    for text in _decoded(chunks, charset, warnings):
        if "\0" in text:
            raise Refused([problem("not_text")])
        *whole, rest = _split(rest + text)
        if len(rest) > LONGEST_LINE:
            raise Refused([problem("not_text", detail=f"A line has more than {LONGEST_LINE} characters.")])
        yield from whole
    if rest:
        yield rest


def _split(text: str) -> list[str]:
    lines = list(io.StringIO(text, newline="\n"))
    return [*lines, ""] if not lines or lines[-1].endswith("\n") else lines


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_CHUNK):
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    if len(first) == 1:
        first += next(pieces, b"")
    if not first.startswith(_GZIP):
        yield first
        yield from pieces
        return
    yield from _gunzip(first, pieces)


def _gunzip(packed: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP_WBITS)
    while packed:
        try:
            yield unpacker.decompress(packed, _CHUNK)
        except zlib.error as error:
            raise Refused([problem("bad_gzip")]) from error
        if unpacker.eof:
            packed = unpacker.unused_data.lstrip(b"\0") or next(pieces, b"")
            unpacker = zlib.decompressobj(_GZIP_WBITS) if packed else unpacker
        else:
            packed = unpacker.unconsumed_tail or next(pieces, b"")
    if not unpacker.eof:
        raise Refused([problem("bad_gzip")])


def _decoded(chunks: Iterator[bytes], charset: str | None, warnings: Counter[str]) -> Iterator[str]:
    first = next(chunks, b"")
    while len(first) < len(codecs.BOM_UTF32_LE) and (more := next(chunks, b"")):
        first += more
    _refuse_foreign(first)
    bom = next((name for mark, name in _BOMS if first.startswith(mark)), None)
    if bom is None and charset is None:
        texts = _guessed(first, chunks, warnings)
    else:
        texts = _strictly(first, chunks, _decoder(bom or charset or ""))
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    for text in texts:
        yield newlines.decode(text)
    yield newlines.decode("", final=True)


def _refuse_foreign(first: bytes) -> None:
    if first.startswith(_SPREADSHEETS):
        raise Refused([problem("spreadsheet_file")])
    if first[:64].lstrip().lower().startswith(_NO_TEXTS):
        raise Refused([problem("not_text")])


def _decoder(name: str) -> codecs.IncrementalDecoder:
    try:
        if codecs.lookup(name)._is_text_encoding:  # noqa: SLF001 - str.decode asks it too
            return codecs.getincrementaldecoder(name)()
    except LookupError:
        pass
    raise Refused([problem("unknown_charset", detail=f"The character set {name[:40]!r} is not known.")])


def _strictly(first: bytes, chunks: Iterator[bytes], decoder: codecs.IncrementalDecoder) -> Iterator[str]:
    try:
        yield decoder.decode(first)
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise Refused([problem("undecodable")]) from error


def _guessed(first: bytes, chunks: Iterator[bytes], warnings: Counter[str]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk, final = first, False
    while True:
        held = decoder.getstate()[0]
        try:
            yield decoder.decode(chunk, final)
        except UnicodeDecodeError:
            warnings["charset_guessed"] += 1
            yield (held + chunk).decode("cp1252", "replace")
            yield from (later.decode("cp1252", "replace") for later in chunks)
            return
        if final:
            return
        chunk = next(chunks, b"")
        final = not chunk
