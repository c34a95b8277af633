"""How much a form may hold, and what is asked before any of it is read."""

from collections.abc import Iterable
from io import RawIOBase

import pytest

from security import forms
from tests.browser import places
from tests.conftest import MakeRelay
from tests.relay import Browser, Relay

BOUNDARY = "edge"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
TOO_LARGE = 413
COMPOSER = {"/send", "/send/people", "/send/preview"}  # the whole form of a call, with its body


class Endless(RawIOBase):
    """A body that goes on: says how much of it was read."""

    def __init__(self, head: bytes, most: int) -> None:
        self.head, self.left, self.taken = head, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = (self.head or b"x" * min(len(buffer), self.left))[: len(buffer)]
        self.head = self.head[len(piece) :]
        self.left -= len(piece)
        self.taken += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def field(name: str, more: str = "") -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()


def sent(browser: Browser, path: str, stream: Endless, kind: str, length: int | None = None, **headers: str) -> int:
    """The status that a body of an unknown (or this) length gets."""
    environ = {"wsgi.input": stream, "wsgi.input_terminated": length is None}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return browser.client.post(path, content_type=kind, environ_overrides=environ, headers=headers).status_code


@pytest.fixture
def takers(relay: Relay) -> list[str]:
    """Every address that takes a form from somebody who has signed in."""
    found = relay.database.read(places.samples) | {("settings", "operator_id"): 1}
    rules = [rule for rule in places.rules(relay.app, "POST") if rule.endpoint != "dashboard.sign_out"]
    return [path for rule in rules for path in places.filled(rule, found)]


@pytest.mark.parametrize("kind", [forms.ENCODED, MULTIPART])
def test_of_a_field_without_an_end_no_form_reads_more_than_it_takes(relay: Relay, takers: list[str], kind: str) -> None:
    browser = relay.sign_in("admin")
    assert len(takers) > 10
    for path in [*takers, "/sign-in", "/sign-up"]:
        stream = Endless(b"a=" if kind == forms.ENCODED else field("a"), 40_000_000)
        assert sent(browser, path, stream, kind) == TOO_LARGE, path
        most = 5_000_000 if "/send/cohorts" in path else 17_000_000 if path in COMPOSER else 1_200_000
        assert stream.taken < most, path


def test_nobody_whose_role_may_not_send_makes_us_read_a_form(relay: Relay, takers: list[str]) -> None:
    browser, asked = relay.sign_in("viewer"), 0
    for path in takers:
        stream = Endless(field("file", '; filename="a.csv"'), 1_000_000)
        status = sent(browser, path, stream, MULTIPART)
        if status == 403:
            asked += 1
            assert stream.taken == 0, path
    assert asked > 10


def test_a_form_that_another_page_makes_the_browser_send_is_not_read(relay: Relay) -> None:
    browser = relay.sign_in("admin")
    for site in ("cross-site", "same-site"):
        stream = Endless(field("file", '; filename="a.csv"'), 1_000_000)
        assert sent(browser, "/send/imports", stream, MULTIPART, **{"Sec-Fetch-Site": site}) == 400
        assert stream.taken == 0


def test_what_says_that_it_is_too_large_is_not_read(make_relay: MakeRelay) -> None:
    browser = make_relay(max_import_mb=1).sign_in("admin")
    for path, kind in [("/send/imports", MULTIPART), ("/sign-in", forms.ENCODED), ("/send", forms.ENCODED)]:
        stream = Endless(b"", 10)
        assert sent(browser, path, stream, kind, length=2**40) == TOO_LARGE
        assert stream.taken == 0


@pytest.mark.parametrize("path", ["/send", "/send/imports", "/people/search", "/sign-in"])
def test_more_fields_than_any_form_has_are_refused(relay: Relay, path: str) -> None:
    browser = relay.sign_in("admin")
    token = browser.token
    many = f"csrf_token={token}" + "&a" * (forms.MOST_FIELDS if path == "/send" else 60_000)
    assert browser.client.post(path, data=many, content_type=forms.ENCODED).status_code == TOO_LARGE


def as_a_browser(names: Iterable[str], token: str, more: str) -> bytes:
    """A form of empty fields or files as browsers write it: with a line for what is in them, though nothing is. What
    werkzeug.test writes has none, and loses some of them again where it is read in pieces."""
    parts = [field("csrf_token"), token.encode(), *(b"\r\n" + field(name, more) for name in names)]
    return b"".join(parts) + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("more", ["", '; filename=""'], ids=["fields", "files"])
@pytest.mark.parametrize("path", ["/send", "/send/preview", "/send/people", "/send/imports"])
@pytest.mark.parametrize("length", [1, 7])
def test_a_form_has_as_many_parts_as_it_may_and_not_one_more(relay: Relay, path: str, more: str, length: int) -> None:
    """Whatever lies where one piece that is read ends and the next begins."""
    browser = relay.sign_in("admin")
    most, token = forms.MOST_PARTS_OF_ROWS if path in COMPOSER else forms.MOST_PARTS, browser.token
    for count, is_refused in ((most, False), (most + 1, True), (most + 2, True)):
        names = [f"{number:0{length}}" for number in range(count - 1)]
        answer = browser.client.post(path, data=as_a_browser(names, token, more), content_type=MULTIPART)
        assert (answer.status_code == TOO_LARGE) == is_refused, (count, answer.status_code)
