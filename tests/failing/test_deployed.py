"""The sample deployment: our nginx site in front of two instances of the app, and our units as systemd reads them."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import requests

from app import create_app
from config.clock import now
from config.settings import load
from security import tokens
from tests import servers
from tests.failing.books import Books
from tests.failing.cluster import Cluster
from tests.failing.conftest import MakeServer
from tests.failing.proxy import nginx
from tests.failing.sender import Body, Sender, export
from tests.failing.server import BIN, FLASK_SERVE, ROOT, Server, wait_until
from tests.relay import Relay, TestClock, basic, body

INSTANCE = (*FLASK_SERVE, "--without-worker")
UNITS = sorted((ROOT / "deploy").glob("cohort-relay*"))
PAGES, SIZE = 60, 20
PEOPLE = [f"p{number}" for number in range(PAGES * SIZE)]
MB = 1024 * 1024


def through(proxy_url: str, server: Server, name: str = "crm") -> Sender:
    """A sender that goes by the proxy."""
    return Sender(proxy_url, name, server.passwords[name])


def test_an_export_passes_through_nginx_while_one_instance_is_killed_and_the_other_is_stopped(
    cluster: Cluster, make_server: MakeServer, tmp_path: Path
) -> None:
    url = cluster.new_database()
    first = make_server(url, "crm", command=INSTANCE, TRUSTED_PROXIES="1")
    second, books = make_server(url, command=INSTANCE, TRUSTED_PROXIES="1"), Books(url)

    with nginx(tmp_path, first, second) as proxy:
        crm = through(proxy.url, first)
        crm.pause = lambda _seconds: wait_until(lambda: first.answers() or second.answers(), 30, "an instance")
        accidents = {PAGES // 3: first.kill, PAGES // 2: first.revive, 2 * PAGES // 3: second.stop}
        crm.sync(lambda _cycle: with_accidents(export("members", PEOPLE, SIZE), accidents))

    assert all(status in {200, 429} or status >= 500 for status in crm.statuses)
    assert [reply.json["error"]["code"] for reply in crm.replies if reply.status != 200] == [
        reply.status for reply in crm.replies if reply.status != 200
    ]
    assert books.members() == set(PEOPLE)
    books.assert_balanced()


def with_accidents(pages: Iterator[Body], accidents: dict[int, object]) -> Iterator[Body]:
    """The same pages; before some of them something happens."""
    for number, page in enumerate(pages):
        if number in accidents:
            accidents[number]()  # type: ignore[operator]
        yield page


@pytest.fixture
def one(file_url: str, make_server: MakeServer) -> Server:
    """One instance, which is all that nginx has behind it."""
    more = {"TRUSTED_PROXIES": "1", "SIGN_IN_FAILURE_LIMIT": "3 per minute"}
    return make_server(file_url, "crm", "slow", command=INSTANCE, **more)


def test_a_slow_sender_waits_in_nginx_and_costs_the_app_nothing(one: Server, file_url: str, tmp_path: Path) -> None:
    books = Books(file_url)
    with nginx(tmp_path, one, one) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as line:
        authorization = basic("slow", one.passwords["slow"])["Authorization"]
        head = f"POST /webhooks/mixpanel/slow HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
        line.sendall(head.encode() + b"Content-Length: 1000\r\n\r\n{")
        through(proxy.url, one).deliver(body("members", ["A"]))

    uses = {row["name"]: row["last_used_at"] for row in books.rows(LAST_USES)}
    assert uses["crm"], "its page passed"
    assert uses["slow"] is None, "the app has not heard of it"


LAST_USES = "SELECT c.name, p.last_used_at FROM connection c JOIN connection_password p ON p.connection_id = c.id"


def test_a_caller_cannot_make_itself_another_address_through_nginx(one: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, one, one) as proxy:
        where = f"{proxy.url}/webhooks/mixpanel/crm"
        answers = [
            requests.post(where, auth=("crm", "wrong"), headers={"X-Forwarded-For": f"192.0.2.{number}"}, timeout=20)
            for number in range(5)
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


def test_the_secret_of_a_link_that_works_once_is_in_no_log(one: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, one, one) as proxy:
        assert requests.get(f"{proxy.url}/sign-in", timeout=20).ok
        requests.get(f"{proxy.url}/join?key=planted-secret", timeout=20)
        one.stop()
        assert requests.get(f"{proxy.url}/join?key=planted-secret", timeout=20).status_code == 502
    logs = (tmp_path / "access.log").read_text() + (tmp_path / "error.log").read_text()
    assert "/sign-in" in logs
    assert "planted-secret" not in logs


def test_what_nginx_answers_itself_is_what_mixpanel_understands(one: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, one, one) as proxy:
        crm = through(proxy.url, one)
        assert requests.get(f"{proxy.url}/metrics", timeout=20).status_code == 404
        large = requests.post(
            f"{proxy.url}/webhooks/mixpanel/crm", data=b" " * (34 * MB), auth=("crm", crm.password), timeout=60
        )
        assert (large.status_code, large.json()["error"]["code"]) == (400, 400)
        one.stop()
        away = crm.post(body("members", ["A"]))
    assert (away.status, away.json["status"], away.json["error"]["code"]) == (503, "failure", 503)
    assert away.retry_after


def test_nginx_takes_no_body_from_strangers(one: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, one, one) as proxy:
        for path, status in (("/api/v1/projects/1/operations/import-events", 401), ("/sign-in", 413)):
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as line:
                line.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n".encode())
                head = line.recv(1000)
            assert head.startswith(f"HTTP/1.1 {status} ".encode()), "before any of the body was sent"
            assert b"\r\nServer: nginx\r\n" in head, "no version"
        assert requests.get(f"{proxy.url}/api/v1/openapi.json", timeout=20).status_code == 200


SENDS, IMPORTS, COMPOSER = "/api/v1/projects/1/operations/replace-lookup-table", "/send/imports", "/send"
LENGTH, CHUNKED = "Content-Length: 16000000", "Transfer-Encoding: chunked"


def heard(port: int, path: str, *headers: str) -> tuple[int, str]:
    """Status and head of what is answered before a byte of the body is sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode())
        head = line.recv(4000).decode()
    return int(head.split(" ")[1]), head


def test_of_whoever_may_not_send_nginx_takes_no_large_body(one: Server, tmp_path: Path) -> None:
    known = credentials(one)
    operator, viewer, reads = known["operator"], known["viewer"], known["read"]
    wrong = "Authorization: Bearer wrong"
    with nginx(tmp_path, one, one) as proxy:
        for size in (LENGTH, CHUNKED):
            assert heard(proxy.port, SENDS, size, wrong)[0] == 401
            assert heard(proxy.port, SENDS, size, reads)[0] == 403
            for path in (IMPORTS, COMPOSER):
                signed_out, head = heard(proxy.port, path, size)
                assert (signed_out, "/sign-in" in head) == (303, True)
                assert heard(proxy.port, path, size, "Cookie: session=made-up")[0] == 303
                assert heard(proxy.port, path, size, viewer)[0] == 403
        assert heard(proxy.port, "/api/v1/cohorts", LENGTH, reads)[0] == 413
        one.stop()
        assert heard(proxy.port, SENDS, LENGTH, reads)[0] == 503
        assert heard(proxy.port, IMPORTS, LENGTH, operator)[0] == 503


def test_of_whoever_may_send_nginx_hands_on_a_large_body(one: Server, tmp_path: Path) -> None:
    known = credentials(one)
    large = {"body": "id,name\n" + "1,x\n" * 500_000}
    with nginx(tmp_path, one, one) as proxy:
        headers = dict([known["send"].split(": ")])
        answer = requests.post(f"{proxy.url}{SENDS}", json=large, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, "There is no project 1.")
        form, cookie = {"body": "x" * MB}, dict([known["operator"].split(": ")])
        answer = requests.post(f"{proxy.url}{COMPOSER}", data=form, headers=cookie, timeout=60, allow_redirects=False)
        assert (answer.status_code, "csrf" in answer.text.lower() or "form" in answer.text) == (400, True)
        answer = requests.post(f"{proxy.url}{IMPORTS}", files=form, headers=cookie, timeout=60, allow_redirects=False)
        assert answer.status_code == 400


def credentials(server: Server) -> dict[str, str]:
    """Headers by role of an operator, and by scope of a token."""
    relay = Relay(create_app(load(server.environment)), TestClock(now()), name="beside")
    key, found = relay.app.extensions["runtime"].settings.secret_key, {}
    for role in ("operator", "viewer"):
        cookie = relay.sign_in(role).client.get_cookie(relay.app.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        found[role] = f"Cookie: {cookie.key}={cookie.value}"
    for scope in ("read", "send"):
        token = relay.database.write(partial(tokens.add, key=key, name=scope, scope=scope, now=relay.clock()))
        found[scope] = f"Authorization: Bearer {token}"
    relay.database.dispose()
    return found


def test_an_address_with_too_many_connections_hears_429_in_mixpanels_envelope(one: Server, tmp_path: Path) -> None:
    head = b"POST /webhooks/mixpanel/crm HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{"
    with nginx(tmp_path, one, one) as proxy, ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port))).sendall(head)
        crm = through(proxy.url, one)
        replies = []
        wait_until(lambda: replies.append(crm.post(body("members", ["A"]))) or replies[-1].status == 429, 30, "429")
    assert (replies[-1].json["status"], replies[-1].json["error"]["code"]) == ("failure", 429)
    assert replies[-1].retry_after


def test_what_the_app_refuses_passes_through_nginx_as_it_is(one: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, one, one) as proxy:
        where, auth = f"{proxy.url}/webhooks/mixpanel/crm", ("crm", one.passwords["crm"])
        large = requests.post(where, data=b" " * (32 * MB + 1), auth=auth, timeout=60)
    assert large.status_code == 400
    assert "The body is larger than 32 MB" in large.json()["error"]["message"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_to_say_about_a_unit(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        servers.missing("systemd-analyze")
    for one in UNITS:  # units name each other
        instance = one.name.replace("@.", "@8001.")
        (tmp_path / instance).write_text(one.read_text().replace("/opt/cohort-relay/.venv/bin", str(BIN)))
    done = subprocess.run(
        [str(program), "verify", "--man=no", str(tmp_path / unit.name.replace("@.", "@8001."))],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
