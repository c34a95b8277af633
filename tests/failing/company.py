"""A company's installation on eight hosts: nginx, two app servers, two workers, Redis, PostgreSQL and its synchronous
standby; Mixpanel that syncs without a pause, and a receiver that is told of every change."""

import json
import os
import pwd
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from app import create_app
from config.clock import now
from destinations import destinations
from destinations.destinations import NewDestination
from models.maintenance import schema
from tests import mixpanel, servers
from tests.conftest import settings_for
from tests.destinations.conftest import Relaying
from tests.failing.cluster import SYSTEM_USER, binaries
from tests.failing.hosts import Database, Host, Network, network
from tests.failing.proxy import AROUND, SITE
from tests.failing.sender import Sender, export
from tests.failing.server import BIN, ROOT, SECRET_KEY, wait_until
from tests.relay import Relay

SIZE, PAGE, STEP = 60, 20, 4  # members of the cohort, of a page; who enters and who leaves with each refresh
OFTEN = ", ".join(["1"] * 200)


@dataclass
class Receiver:
    """What a destination is told: the id of each message, what it says, and when."""

    address: str
    heard: list[tuple[str, tuple[str, str, int]]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                data = event["data"]
                kind = event["type"].rpartition(".")[2]
                told = (kind, data["distinct_id"], data["entry_number"])
                receiver.heard.append((self.headers["webhook-id"], told))
                receiver.times.append(time.monotonic())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer((self.address, 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://{self.address}:{self.server.server_port}/hook"


@dataclass
class Mixpanel:
    """Refreshes of a cohort whose members change a little, one after the other, until it is told to end. Each page is
    tried again every quarter of a second until it is taken."""

    sender: Sender
    taken: list[float] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def sync(self) -> None:
        number = 0
        while not self.over.is_set():
            people = [f"p{one:06}" for one in range(number * STEP, number * STEP + SIZE)]
            for page in export("members", people, PAGE, session=f"s{number}"):
                while self.sender.post(page).status != 200:
                    time.sleep(0.25)
                self.taken.append(time.monotonic())
                time.sleep(0.1)
            self.members, number = set(people), number + 1


@dataclass
class Company:
    net: Network
    folder: Path
    primary: Database
    standby: Database
    relay: Relay
    url: str
    receiver: Receiver
    mixpanel: Mixpanel
    taker: mixpanel.Mixpanel

    def host(self, name: str) -> Host:
        return self.net.hosts[name]

    def environment(self, name: str) -> dict[str, str]:
        instance = self.folder / name
        instance.mkdir(exist_ok=True)
        ours = {"INSTANCE_PATH": str(instance), "DATABASE_URL": self.url, "SECRET_KEY": SECRET_KEY}
        ours |= {"HOST": "0.0.0.0", "PORT": "8000", "TRUSTED_PROXIES": "1", "LOG_LEVEL": "error", "WORK_SECONDS": "1"}
        ours |= {"MIXPANEL_BASE_URL": self.taker.url}
        ours |= {"REDIS_URL": f"redis://{self.host('redis').address}:6379/0", "ALLOW_PRIVATE_DESTINATIONS": "on"}
        return os.environ | ours

    def start(self, name: str) -> None:
        """Start what runs on a host, also after it was killed."""
        host, log = self.host(name), self.folder / f"{name}.log"
        host.plug_in()
        if name == "redis":
            host.start(["redis-server", "--port", "6379", "--protected-mode", "no", "--save", ""], log)
        elif name == "nginx":
            site = self.folder / "nginx"
            host.start(["nginx", "-p", str(site), "-e", f"{site}/error.log", "-c", f"{site}/nginx.conf"], log)
        elif name.startswith("app"):
            command = [str(BIN / "flask"), "--app", str(ROOT / "app.py"), "serve", "--without-worker"]
            host.start(command, log, self.environment(name))
            wait_until(lambda: answers(f"http://{host.address}:8000/healthz"), 60, f"the start of {name}")
        else:
            command = [str(BIN / "flask"), "--app", str(ROOT / "app.py"), "work"]
            host.start(command, log, self.environment(name))

    def write_site(self) -> None:
        """nginx's files: our own site, with these hosts."""
        folder = self.folder / "nginx"
        folder.mkdir()
        text = SITE.read_text()
        for written, ours in (
            ("server 127.0.0.1:8001 ", f"server {self.host('app1').address}:8000 "),
            ("server 127.0.0.1:8002 ", f"server {self.host('app2').address}:8000 "),
        ):
            assert text.count(written) == 1
            text = text.replace(written, ours)
        (folder / "site.conf").write_text(text)
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user="user root;"))

    def tell_of_changes(self) -> None:
        """A destination, and the subscription that has it told of the cohort."""
        relaying = Relaying(self.relay)
        self.relay.refresh([])
        settings = {"url": self.receiver.url, "retry_seconds": OFTEN, "rate": 1000, "timeout_seconds": 5}
        draft = NewDestination("webhook", "webhook", settings, {})
        self.relay.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, now()))
        relaying.subscribe("webhook", start="now", guard_percent=0)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


HOSTS = ("nginx", "app1", "app2", "worker1", "worker2", "redis", "db1", "db2")


@contextmanager
def company(tmp_path: Path) -> Iterator[Company]:
    """All of it, running; Mixpanel does not sync yet."""
    for program in ("nginx", "redis-server"):
        if shutil.which(program) is None:
            servers.missing(program)
    folder = Path(tempfile.mkdtemp(prefix="cohort-relay-company-"))
    folder.chmod(0o755)
    try:
        with network() as net:
            for name in HOSTS:
                net.add(name)
            primary, standby = (database_on(net.hosts[name], folder) for name in ("db1", "db2"))
            primary.make()
            url = primary.new_database()
            standby.follow(primary)
            name = url.partition("?")[0].rpartition("/")[2]
            both = f"{primary.at.address}:5432,{standby.at.address}:5432"
            yield from _running(net, folder, (primary, standby), f"postgresql://postgres@{both}/{name}")
    finally:
        shutil.rmtree(folder)


def _running(net: Network, folder: Path, databases: tuple[Database, Database], url: str) -> Iterator[Company]:
    redis_url = f"redis://{net.hosts['redis'].address}:6379/0"
    (folder / "test").mkdir()
    app = create_app(settings_for(folder / "test", database_url=url, redis_url=redis_url), now)
    app.extensions["runtime"].database.alter(schema.upgrade)
    relay = Relay(app, now)  # type: ignore[arg-type]
    receiver = Receiver(net.address)
    receiver.start()
    sender = Sender(f"http://{net.hosts['nginx'].address}", "crm", relay.password)
    taker = mixpanel.Mixpanel(net.address)
    one = Company(net, folder, *databases, relay, url, receiver, Mixpanel(sender), taker)
    one.write_site()
    for name in ("redis", "app1", "app2", "nginx", "worker1", "worker2"):
        one.start(name)
    one.tell_of_changes()
    try:
        yield one
    finally:
        one.mixpanel.over.set()
        taker.close()
        relay.database.dispose()
        assert receiver.server is not None
        receiver.server.shutdown()


def database_on(host: Host, folder: Path) -> Database:
    """A PostgreSQL there, which has to be made."""
    place = folder / host.name
    place.mkdir()
    user = pwd.getpwnam(SYSTEM_USER)
    os.chown(place, user.pw_uid, user.pw_gid)
    return Database(binaries(), place, 5432, host=host)
