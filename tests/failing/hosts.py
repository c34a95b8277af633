"""Hosts of the tests' own: network namespaces at one bridge, each with an address, which a test cuts off and kills as a
whole, as when a machine loses its power."""

import json
import os
import random
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests import servers
from tests.failing.cluster import SYSTEM_USER, Cluster
from tests.failing.server import wait_until

POSTGRESQL = """
listen_addresses = '0.0.0.0'
wal_level = replica
max_wal_senders = 4
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
"""
NAME = "standby"


@dataclass(frozen=True)
class Host:
    """One of them. Its cable is a link that can be cut: whoever talks to it then hears nothing, as of a dead one."""

    name: str
    space: str
    cable: str
    address: str

    def start(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Run a program there."""
        with log.open("ab") as said:
            subprocess.Popen(self.inside(command), env=environment, stdout=said, stderr=said, start_new_session=True)

    def inside(self, command: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self.space, *command]

    def kill(self, *, cut: bool = True) -> None:
        """End it without a goodbye: first nobody hears it any more, then nothing of it runs."""
        if cut:
            self.unplug()
        for pid in _ip("netns", "pids", self.space).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        wait_until(lambda: not _ip("netns", "pids", self.space).split(), 20, f"the end of {self.name}")

    def unplug(self) -> None:
        _ip("link", "set", self.cable, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self.cable, "up")


@dataclass
class Network:
    """`address` is that of the test itself."""

    tag: str
    address: str
    hosts: dict[str, Host] = field(default_factory=dict)

    def add(self, name: str) -> Host:
        number = len(self.hosts) + 10
        host = Host(
            name, f"cr{self.tag}{number}", f"v{self.tag}{number}", f"{self.address.rpartition('.')[0]}.{number}"
        )
        self.hosts[name] = host
        _ip("netns", "add", host.space)
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.space)
        _ip("link", "set", host.cable, "master", f"cr{self.tag}", "up")
        _ip("-n", host.space, "addr", "add", f"{host.address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _ip("-n", host.space, "link", "set", link, "up")
        return host

    def remember(self, host: Host) -> None:
        """Let whoever calls it go on calling when it is cut off, as behind a router: no word comes that it has gone."""
        (link,) = json.loads(_ip("-json", "-n", host.space, "link", "show", "eth0"))
        bridge = f"cr{self.tag}"
        _ip("neigh", "replace", host.address, "lladdr", link["address"], "dev", bridge, "nud", "permanent")


@contextmanager
def network() -> Iterator[Network]:
    """A network without hosts yet; skips the test where nobody may make one."""
    tag = uuid.uuid4().hex[:4]
    one = Network(tag, f"10.{random.randint(100, 250)}.{random.randint(1, 250)}.1")
    bridge = f"cr{tag}"
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("netns", "add", f"cr{tag}x")
        _ip("netns", "del", f"cr{tag}x")
    except (OSError, subprocess.CalledProcessError):
        with suppress(OSError, subprocess.CalledProcessError):
            _ip("link", "del", bridge)
        servers.missing("Hosts of the tests' own (ip netns, which only root may)")
    try:
        _ip("addr", "add", f"{one.address}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        yield one
    finally:
        for host in one.hosts.values():
            host.kill()
            _ip("netns", "del", host.space)
        _ip("link", "del", bridge)


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Database(Cluster):
    """A PostgreSQL on a host, that lets in whoever can reach it."""

    host: Host | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@{self.at.address}:{self.port}/{database}?connect_timeout=3"

    @property
    def at(self) -> Host:
        assert self.host is not None
        return self.host

    def run(self, program: str, *arguments: str) -> None:
        command = ["runuser", "-u", SYSTEM_USER, "--", str(self.bin / program), *arguments]
        log = self.folder / "said"
        with log.open("ab") as said:  # a pipe would stay open in the server
            done = subprocess.run(
                self.at.inside(command),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
            )
        assert done.returncode == 0, f"{program}: {log.read_text()}"

    def make(self) -> None:
        """A new cluster that runs."""
        self._make(POSTGRESQL)
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n")
        self.start()

    def follow(self, primary: "Database") -> None:
        """Copy the other one, and become its standby."""
        source = f"host={primary.at.address} port={primary.port} user=postgres application_name={NAME}"
        data = str(self.folder / "data")
        self.run("pg_basebackup", "-d", source, "-D", data, "--write-recovery-conf", "--checkpoint=fast")
        self.start()
        primary.wait_for_standby()

    def wait_for_standby(self) -> None:
        """Commits wait for it from here on."""
        wait_until(lambda: self._follower() is not None, 30, "the standby")
        self.set_synchronous(NAME)
        wait_until(lambda: self._follower() == "sync", 30, "the standby's following")

    def set_synchronous(self, name: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
            db.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute("SELECT pg_promote(true, 60)")

    def revive(self) -> None:
        """Start it again after its host was killed."""
        self.at.plug_in()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self.start()

    def _follower(self) -> str | None:
        with psycopg.connect(self.url()) as db:
            row = db.execute("SELECT sync_state FROM pg_stat_replication").fetchone()
            return None if row is None else str(row[0])
