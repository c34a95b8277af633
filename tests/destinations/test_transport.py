"""HTTP for destinations: where it may go, what its answers mean by default, and what is kept of them."""

import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.contract import RefusalKind
from destinations.transport import HTTP, KEPT, WrongAddress, hidden_in, kept, refusal_of, server_of
from tests.destinations.far_end import NOW, change, opened
from tests.mixpanel import Answer, Mixpanel, stand_in
from tests.outbound.talking_server import talking_server, whole_request

SECRET = "planted-key-of-the-vendor-91c2"


@pytest.fixture
def server() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


def http(url: str, *, private: bool = True, seconds: float = 5, unheard: RefusalKind = "unavailable") -> HTTP:
    return HTTP(opened({"timeout_seconds": seconds}, {"key": [SECRET]}, private=private), url, unheard=unheard)


def test_json_is_posted_as_it_is_and_the_answer_read(server: Mixpanel) -> None:
    server.script("/hook", Answer(200, {"ok": True}))
    reply = http(server.url).post_json(f"{server.url}/hook?a=1", {"name": "Zoë"}, {"X-Key": SECRET})
    assert (reply.status, reply.json, reply.refusal) == (200, {"ok": True}, None)
    call = server.calls[0]
    assert (call.body, call.query) == ('{"name":"Zoë"}'.encode(), (("a", "1"),))
    assert (call.headers["Content-Type"], call.headers["X-Key"]) == ("application/json", SECRET)


def test_a_loopback_address_is_refused_without_the_setting(server: Mixpanel) -> None:
    refusal = http(server.url, private=False).post_json(server.url, {}).refusal
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == ("gone", "address_refused")
    assert "private address" in refusal.told
    assert "127.0.0.1" not in refusal.told
    assert server.calls == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200"])
def test_metadata_is_refused_with_the_setting_too_and_at_once(host: str) -> None:
    began = time.monotonic()
    refusal = http(f"http://{host}/latest/meta-data").call("GET", f"http://{host}/latest/meta-data").refusal
    assert refusal is not None
    assert refusal.reason == "address_refused"
    assert time.monotonic() - began < 2


def test_a_server_of_another_name_is_not_called(server: Mixpanel) -> None:
    refusal = http("https://hooks.example").post_json(server.url, {}).refusal
    assert refusal is not None
    assert refusal.reason == "address_refused"
    assert server.calls == []


def test_a_redirect_is_not_followed_and_leaks_nothing(server: Mixpanel) -> None:
    with stand_in() as other:
        server.script("/hook", Answer(301, "", {"Location": f"{other.url}/stolen"}))
        refusal = http(server.url).post_json(f"{server.url}/hook", {}, {"X-Key": SECRET}).refusal
        assert refusal is not None
        assert (refusal.kind, refusal.reason) == ("unavailable", "http_301")
        assert "not followed" in refusal.told
        assert other.calls == []
    assert len(server.calls) == 1


def test_neither_a_proxy_nor_netrc_has_a_say(server: Mixpanel, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login u password p")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert http(server.url).post_json(server.url, {}).status == 200
    assert "Authorization" not in server.calls[0].headers


def test_what_never_left_is_told_from_what_nobody_knows(server: Mixpanel) -> None:
    server.script("/gone", Answer(drop=True))
    server.script("/late", Answer(after=1))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = [
        http(url, seconds=0.3).post_json(url, {}).refusal
        for url in (f"http://127.0.0.1:{port}", f"{server.url}/gone", f"{server.url}/late")
    ]
    assert [refusal and refusal.kind for refusal in told] == ["unavailable", "unknown", "unknown"]


def test_an_answer_that_trickles_ends_at_the_deadline() -> None:
    def talk(connection: socket.socket) -> None:
        whole_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
        for _ in range(400):
            connection.sendall(b"x")
            time.sleep(0.05)

    with talking_server(talk) as port:
        began = time.monotonic()
        refusal = http(f"http://127.0.0.1:{port}", seconds=0.4).post_json(f"http://127.0.0.1:{port}", {}).refusal
        assert time.monotonic() - began < 3
    assert refusal is not None
    assert refusal.kind == "unknown"


def test_a_wait_is_read_where_it_is_a_schedule(server: Mixpanel) -> None:
    server.script("/busy", Answer(429, "", {"X-RateLimit-Reset": str(NOW // 1000 + 90), "Date": "-"}))
    server.script("/down", Answer(503, "", {"Retry-After": "7"}))
    server.script("/odd", Answer(400, "", {"Retry-After": "7"}))
    refusals = [http(server.url).post_json(server.url + path, {}).refusal for path in ("/busy", "/down", "/odd")]
    assert [refusal and refusal.wait is not None for refusal in refusals] == [True, True, False]
    assert refusals[1] is not None
    assert refusals[1].wait == 7


MEANINGS: dict[int, RefusalKind] = {
    **dict.fromkeys((425, 429), "throttled"),
    **dict.fromkeys((301, 302, 307, 308, 408, 500, 502, 503, 504, 520, 530, 599), "unavailable"),
    **dict.fromkeys((401, 403), "credentials"),
    **dict.fromkeys((404, 410), "gone"),
    **dict.fromkeys((400, 405, 409, 415, 422, 499), "batch"),
    413: "size",
}


@pytest.mark.parametrize(("status", "kind"), MEANINGS.items())
def test_a_status_means_by_default(status: int, kind: RefusalKind) -> None:
    found = refusal_of(status)
    assert found is not None
    assert (found.kind, found.reason) == (kind, f"http_{status}")


@given(st.integers(100, 599))
def test_every_status_but_a_success_is_a_refusal_with_a_sentence(status: int) -> None:
    found = refusal_of(status)
    assert (found is None) == (200 <= status < 300)
    assert found is None or found.told


def test_a_type_that_cannot_repeat_takes_the_trouble_of_a_server_for_unknown_but_not_a_503() -> None:
    kinds = {status: (found := refusal_of(status, "unknown")) and found.kind for status in (408, 500, 502, 503, 429)}
    assert kinds == {408: "unknown", 500: "unknown", 502: "unknown", 503: "unavailable", 429: "throttled"}


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks.example", "ftp://hooks.example", "file:///etc/passwd", "https://", "https:///x"),
        *("https://user:pw@hooks.example", "https://hooks.example\\@evil.example", "https://hooks.example#x"),
        *("https://hooks.example/a b", "https://hooks.example/\r\nX: y", "https://hooks.example:0", "https://[::1"),
        "https://hooks.example:99999",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WrongAddress):
        server_of(url)


def test_an_address_has_a_scheme_and_a_server_in_small_letters() -> None:
    assert server_of("HTTPS://Hooks.Example:8443/A?b=C") == ("https", "hooks.example:8443")


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=4, max_size=30)


@given(st.lists(WORDS, max_size=5), st.lists(WORDS, min_size=1, max_size=5), st.booleans())
def test_nothing_that_is_hidden_stays_in_what_is_kept(around: list[str], hidden: list[str], whole: bool) -> None:
    text = " ".join(word for pair in zip(around * 5, hidden * 5, strict=False) for word in pair)
    found = kept(text, hidden[:1], hidden[1:], whole=whole)
    assert not [word for word in hidden if word in found.replace("•", "")]
    assert len(found.encode()) <= KEPT


@pytest.mark.parametrize("cut", range(15_900, 16_500, 50))
def test_the_first_half_of_an_identity_at_the_cut_does_not_stay(cut: int) -> None:
    """However much shorter the text becomes by what is masked before it."""
    identity = "somebody.with.a.long.name.of.many.letters@example.com"
    text = (identity * 400)[:cut]
    assert "somebody" not in kept(text, [], [identity], whole=False)


def test_short_identities_are_hidden_as_words_and_numbers_of_statuses_stay() -> None:
    hidden = hidden_in([change(identity="ada", fields={"plan": "pro", "age": 36, "phone": 15551234567, "in": True})])
    text = 'ada of 36 is pro, "ada" 15551234567 of Canada'
    assert kept(text, [], hidden) == '•••• of 36 is ••••, "••••" •••• of Canada'


def test_what_is_kept_can_be_stored(server: Mixpanel) -> None:
    server.script("/odd", Answer(400, b"\0\xff" + "ü".encode() * 3000))
    reply = http(server.url).post_json(f"{server.url}/odd", {})
    assert "\0" not in reply.text
    assert KEPT - 2 <= len(reply.text.encode()) <= KEPT


def test_of_an_endless_answer_only_so_much_is_read(server: Mixpanel) -> None:
    server.script("/long", Answer(200, "x" * (3 * 1024 * 1024)))
    reply = http(server.url).post_json(f"{server.url}/long", {})
    assert len(reply.body) == 1024 * 1024


def test_somebody_is_hidden_however_a_far_end_spells_them() -> None:
    told = change(1, "ada@example.com", fields={"more": {"streets": ["Rue Planchet 7"], "income": 81234.5}, "few": 7})
    answer = "Ada@Example.COM lives at RUE PLANCHET 7, earns 81234.5 and has 7"
    assert kept(answer, (), hidden_in([told])) == "•••• lives at ••••, earns •••• and has 7"
