"""Styles and scripts are asked for once a version, and never shown from another one."""

import re

from tests.relay import Relay

FOR_GOOD = "public, max-age=31536000, immutable"


def test_browsers_keep_what_a_page_loads_and_all_that_this_imports(relay: Relay) -> None:
    page = relay.sign_in("admin").page("/")
    loaded = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)
    assert len(loaded) >= 4
    sheet = next(path for path in loaded if path.endswith("main.css"))
    imported = re.findall(r'@import url\("([^"]+)"\)', relay.client.get(sheet).text)
    assert len(imported) > 10
    for path in [*loaded, *(f"{sheet.rpartition('/')[0]}/{name}" for name in imported)]:
        answer = relay.client.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, FOR_GOOD), path


def test_an_address_of_another_version_or_of_none_is_served_and_not_kept(relay: Relay) -> None:
    for path in ("/static/v-0123456789ab/page.js", "/static/page.js"):
        answer = relay.client.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache"), path


def test_what_is_not_there_is_not_kept(relay: Relay) -> None:
    (version,) = set(re.findall(r"/static/(v-[0-9a-f]{12})/", relay.sign_in("admin").page("/")))
    answer = relay.client.get(f"/static/{version}/nothing.css")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")
