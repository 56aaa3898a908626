from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from tnimport.web.wire.problems import KINDS

if TYPE_CHECKING:
    from tests.web.conftest import Seed, Web

FOLDER = files("tnimport.web.pages.templates")
NASTY = "<script>alert('x')</script>\"&"


def test_the_templates_are_a_package_so_that_the_wheel_has_them() -> None:
    assert FOLDER.joinpath("__init__.py").is_file()
    assert FOLDER.joinpath("page.css").is_file()


def test_the_list_links_to_each_import_and_refreshes_itself(web: Web, seed: Seed) -> None:
    import_id = seed(web.ledger)
    page = web.get("/").text
    assert f'href="/imports/{import_id}"' in page
    assert '<meta http-equiv="refresh"' in page


def test_an_empty_list_says_how_to_begin(web: Web) -> None:
    assert "tnimport import" in web.get("/").text


def test_the_page_of_an_import_sums_to_its_rows_and_lists_what_failed(any_web: Web, seed: Seed) -> None:
    import_id = seed(any_web.ledger)
    page = any_web.get(f"/imports/{import_id}").text
    assert "6 = 6 rows" in page
    assert "=1+1" in page
    assert "3 of 6 rows" in page


def test_a_finished_import_stops_refreshing(web: Web, seed: Seed) -> None:
    import_id = seed(web.ledger)
    assert 'http-equiv="refresh"' in web.get(f"/imports/{import_id}").text
    web.post(f"/v1/imports/{import_id}/cancel")
    assert 'http-equiv="refresh"' not in web.get(f"/imports/{import_id}").text


def test_whatever_a_caller_wrote_is_shown_and_not_run(web: Web, seed: Seed) -> None:
    import_id = seed(web.ledger, client_ref=NASTY, customer_order_id=NASTY[:40])
    for path in ("/", f"/imports/{import_id}"):
        page = web.get(path)
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("path", ["/", "/problems/refused"])
def test_the_policy_allows_our_own_style_and_nothing_else(web: Web, path: str) -> None:
    page = web.get(path)
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    ours = b64encode(sha256(style.group(1).encode()).digest()).decode()
    assert page.headers["Content-Security-Policy"].startswith(f"default-src 'none'; style-src 'sha256-{ours}';")
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.parametrize("path", ["/imports/imp_unknown", "/problems/unknown", "/nowhere"])
def test_a_page_that_is_not_there_is_404(web: Web, path: str) -> None:
    assert web.get(path).status_code == 404


@pytest.mark.parametrize("slug", sorted(KINDS))
def test_every_kind_of_problem_has_a_page(web: Web, slug: str) -> None:
    assert KINDS[slug].title in web.get(f"/problems/{slug}").text


def test_every_answer_is_safe_to_show(web: Web) -> None:
    for path in ("/", "/v1/imports", "/nowhere"):
        headers = web.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
