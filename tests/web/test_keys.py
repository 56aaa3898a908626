"""Tokens, and the file in which their hashes are kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.web.access import keys
from tnimport.web.access.keyring import Keyring
from tnimport.web.access.keys import KeysUnreadableError, Scope, make, matching, parse, written


def test_a_token_is_the_key_that_it_was_made_for_and_no_other_text_is() -> None:
    key, token = make("billing", Scope.READ)
    other, _ = make("other", Scope.READ)
    held = {key.id: key, other.id: other}
    assert matching(held, token) == key
    assert len(bytes.fromhex(token.rpartition("_")[2])) * 8 >= 128
    swapped = token.replace(key.id, other.id)
    for wrong in (token[:-1], token + "0", token.upper(), swapped, "", "tni", token.replace("tni", "xxx"), "\udcff"):
        assert matching(held, wrong) is None
    assert matching({}, token) is None


def test_neither_the_key_nor_the_file_tells_the_secret(tmp_path: Path) -> None:
    key, token = make("billing", Scope.READ)
    secret = token.rpartition("_")[2]
    assert secret not in repr(key) + written([key])
    assert key.sha256 not in repr(key)


@given(
    st.text(min_size=1, max_size=100).filter(lambda name: name.isprintable()),
    st.sampled_from(Scope),
    st.sets(st.sampled_from(["north", "south", 'o"dd'])),
    st.none() | st.integers(1, 9999),
)
def test_what_is_written_is_read_back_as_it_was(name: str, scope: Scope, accounts: set[str], days: int | None) -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=days) if days else None
    made = [make(name, scope, accounts=accounts, expires=expires)[0] for _ in range(2)]
    assert parse(written(made)) == {key.id: key for key in made}


@pytest.mark.parametrize(
    "text",
    [
        "[keys",
        "keys = 1",
        "[keys]\nx = 1",
        "[keys.abcdefgh]\nname = 'x'",
        "[keys.SHORT]\nname='x'\nsha256='0'\nscope='read'\ncreated=2026-01-01T00:00:00Z",
        f"[keys.abcdefgh]\nname='x'\nsha256='{'0' * 64}'\nscope='all'\ncreated=2026-01-01T00:00:00Z",
        f"[keys.abcdefgh]\nname='x'\nsha256='{'0' * 64}'\nscope='read'\ncreated=2026-01-01T00:00:00",
        f"[keys.abcdefgh]\nname='x'\nsha256='{'0' * 64}'\nscope='read'\ncreated=2026-01-01T00:00:00Z\nmore=1",
    ],
)
def test_a_file_that_is_not_understood_is_not_half_understood(text: str) -> None:
    with pytest.raises(KeysUnreadableError):
        parse(text)


def test_an_unusable_hash_is_not_told() -> None:
    text = "[keys.abcdefgh]\nname='x'\nsha256='canary'\nscope='read'\ncreated=2026-01-01T00:00:00Z"
    with pytest.raises(KeysUnreadableError) as caught:
        parse(text)
    assert "canary" not in str(caught.value)
    assert "sha256" in str(caught.value)


@pytest.mark.parametrize(
    ("scope", "may"), [(Scope.READ, ["read"]), (Scope.WRITE, ["read", "write"]), (Scope.ADMIN, [*Scope])]
)
def test_a_scope_includes_the_ones_before_it(scope: Scope, may: list[str]) -> None:
    assert [other for other in Scope if scope.includes(other)] == may


def test_the_keyring_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    ring = Keyring(path)
    assert ring.keys() == {}
    first, second = make("a", Scope.READ)[0], make("b", Scope.READ)[0]
    path.write_text(written([first]))
    assert ring.keys() == {first.id: first}
    path.write_text(written([first, second]))
    assert set(ring.keys()) == {first.id, second.id}
    path.unlink()
    assert ring.keys() == {}


@pytest.mark.parametrize("broken", [b"[keys", b"\xff\xfe"])
def test_a_broken_file_lets_nobody_in_until_it_is_mended(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "keys.toml"
    key, _ = make("a", Scope.READ)
    path.write_text(written([key]))
    ring = Keyring(path)
    ring.keys()
    path.write_bytes(broken)
    for _ in range(2):
        with pytest.raises(KeysUnreadableError):
            ring.keys()
    path.write_text(keys.written([key]))
    assert ring.keys() == {key.id: key}


def test_a_folder_in_the_place_of_the_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(KeysUnreadableError):
        Keyring(tmp_path).keys()
