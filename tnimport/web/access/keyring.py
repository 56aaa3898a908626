"""The file of keys as it is now: read again when it changes, so that a revoked key is out at its next request."""

from pathlib import Path

from tnimport.web.access.keys import Key, KeysUnreadableError, parse

_Stamp = tuple[int, int, int] | None


class Keyring:
    """The keys of one file. For one thread: the server's event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[_Stamp, dict[str, Key]] | None = None

    def keys(self) -> dict[str, Key]:
        """Every key by its id; none while there is no file.

        Raises:
            KeysUnreadableError: the file cannot be read or understood; the keys of before are not used any longer.
        """
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = None
            self._read = stamp, {} if stamp is None else self._parsed()
        return self._read[1]

    def _stamp(self) -> _Stamp:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeysUnreadableError(error.strerror or "it cannot be looked at") from None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _parsed(self) -> dict[str, Key]:
        try:
            return parse(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise KeysUnreadableError(error.strerror or "it cannot be read") from None
        except UnicodeDecodeError:
            raise KeysUnreadableError("it is not text") from None
