"""User name and password of a callback's URL, and nothing else of it."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnimport.domain.callbacks import with_secret, without_userinfo


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://shop.example/messages", "https://shop.example/messages"),
        ("https://u:p@shop.example/messages", "https://shop.example/messages"),
        ("https://u:p@x@shop.example:8443/a@b?c@d#e@f", "https://shop.example:8443/a@b?c@d#e@f"),
        ("https://shop.example?to=me@x.com", "https://shop.example?to=me@x.com"),
        ("https://shop.example#me@x.com", "https://shop.example#me@x.com"),
        ("https://u:p@shop.example?to=me@x.com", "https://shop.example?to=me@x.com"),
        ("https://u:p@[::1]:8443/", "https://[::1]:8443/"),
        ("https://u:p@[broken/", "https://[broken/"),
        ("no url: me@x.com", "no url: me@x.com"),
        ("", ""),
    ],
)
def test_only_the_user_info_is_taken_away(url: str, plain: str) -> None:
    assert without_userinfo(url) == plain


@given(st.text() | st.text(alphabet="ab:/?#[]@%.\n"))
def test_any_text_may_come(text: str) -> None:
    plain = without_userinfo(text)
    assert without_userinfo(plain) == plain or "@" in plain


@pytest.mark.parametrize("path", ["", "/messages", "?to=me@x.com", "#me@x.com"])
def test_the_secret_goes_to_the_host_that_was_meant(path: str) -> None:
    presented = urlsplit(with_secret(f"https://old:one@shop.example{path}", "a/b@c"))
    assert (presented.hostname, presented.username, presented.password) == ("shop.example", "tnimport", "a%2Fb%40c")
    assert without_userinfo(presented.geturl()) == f"https://shop.example{path}"
