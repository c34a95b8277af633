"""The address of the database: SQLite's file, or whatever PostgreSQL's own client library takes.

PostgreSQL's addresses are read by that library, so that several hosts, sockets, encoded passwords and every parameter
of its mean here what they mean in psql. `pgbouncer=true` is ours (and Prisma's): it says that a pooler stands between.
"""

import os
import re
from collections import Counter
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from config.parsers import WrongValue

SQLITE = "sqlite:///"
DRIVER = "postgresql+psycopg://"
ADDRESSES = "empty, or an address that begins with sqlite:/// or postgresql://"
LAST_PORT = 65535
ENCODE = "in a user or password write %40 for @, %2F for /, %3A for : and %25 for %"

_SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_POOLER = re.compile(r"(?<=[?&])pgbouncer=([^&]*)(?:&|$)")
_PASSWORD = re.compile(r"(?<=://)([^:@/?]*):[^@/]*@")
_PASSWORD_PARAMETER = re.compile(r"(?<=[?&])(?:password|sslpassword)=[^&]*(?:&|$)")
_UNKNOWN_PARAMETER = re.compile(r'query parameter: "(\w{1,40})"')
_SAID = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def database_url(value: str) -> str:
    """The address as it is kept in the settings: `sqlite:///…`, `postgresql+psycopg://…`, or empty.

    Raises WrongValue with the reason; the value itself, which may hold a password, is never part of it.
    """
    value = value.strip()
    if scheme := _SCHEME.match(value):
        url = DRIVER + value[scheme.end() :]
        _check(url)
        return url
    if value and not value.startswith(SQLITE):
        raise WrongValue(ADDRESSES)
    if value and not _is_file(value.removeprefix(SQLITE)):
        raise WrongValue("the address of a SQLite file, sqlite:///folder/file.db without parameters")
    return value


def sqlite_file(url: str) -> Path:
    """The file of a `sqlite:///` address, whatever characters its name has."""
    return Path(url.removeprefix(SQLITE))


def parameters(url: str) -> dict[str, str]:
    """What PostgreSQL's client library reads in an address of the settings; raises psycopg.ProgrammingError."""
    found = conninfo_to_dict(_plain(url))
    return {name: str(value) for name, value in found.items() if value is not None}


def says_pooler(url: str) -> bool:
    """Whether the address says itself that a pooler stands before the server."""
    said = _POOLER.search(url)
    return said is not None and _SAID.get(said[1].lower(), False)


def where(url: str) -> str:
    """The hosts and the database of a PostgreSQL address, for people."""
    found = parameters(url)
    hosts, ports = found.get("host", "").split(","), found.get("port", "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    shown = [
        host if host.startswith("/") else f"{host or 'local socket'}:{port or 5432}"
        for host, port in zip(hosts, ports, strict=True)
    ]
    return f"{','.join(shown)}/{found.get('dbname', '')}"


def without_password(url: str) -> str:
    """A PostgreSQL address as its own programs take it; they read PGPASSWORD or ~/.pgpass."""
    bare = _PASSWORD.sub(r"\1@", _plain(url))
    return _PASSWORD_PARAMETER.sub("", bare).rstrip("?&")


def environment_of_programs(url: str) -> dict[str, str]:
    """The environment of PostgreSQL's own programs: by it they get the password, which is in no list of processes, and
    of several hosts the one that takes writes."""
    found = parameters(url)
    ours = {"PGPASSWORD": found["password"]} if "password" in found else {}
    if "," in found.get("host", ""):
        ours["PGTARGETSESSIONATTRS"] = "read-write"
    return dict(os.environ) | ours


def _plain(url: str) -> str:
    """The address in the words of PostgreSQL's client library."""
    return _POOLER.sub("", url.replace(DRIVER, "postgresql://", 1)).rstrip("?&")


def _is_file(name: str) -> bool:
    return name not in {"", ":memory:", "/"} and "?" not in name and not name.startswith("file:")


def _check(url: str) -> None:
    """Raises WrongValue where PostgreSQL's client library could not use the address."""
    said = _POOLER.search(url)
    if said and said[1].lower() not in _SAID:
        raise WrongValue("an address whose parameter pgbouncer is true or false")
    try:
        found = parameters(url)
    except ProgrammingError as error:
        raise WrongValue(_reason(str(error))) from None
    _check_repeats(url)
    hosts, ports = found.get("host", "").split(","), found.get("port", "").split(",")
    if any("@" in host or re.search(r"[\s\x00-\x1f]", host) for host in hosts):
        raise WrongValue(f"an address whose hosts can be read: {ENCODE}")
    if not all(port == "" or (port.isascii() and port.isdigit() and 0 < int(port) <= LAST_PORT) for port in ports):
        raise WrongValue(f"an address whose ports are whole numbers from 1 to {LAST_PORT}: {ENCODE}")
    if len(ports) not in {1, len(hosts)}:
        raise WrongValue("an address with one port, or one for each host")


def _check_repeats(url: str) -> None:
    """PostgreSQL's client library takes the last of two values without a word."""
    names = Counter(re.findall(r"[?&]([A-Za-z_]+)=", url))
    for name, count in names.items():
        if count > 1:
            raise WrongValue(f"an address that names {name} once; several hosts are written h1:5432,h2:5432")


def _reason(error: str) -> str:
    """What the library says, without what it quotes of the address."""
    if unknown := _UNKNOWN_PARAMETER.search(error):
        return f"an address that PostgreSQL's client can read: it has no parameter {unknown[1]}"
    said = error.partition('"')[0].strip().rstrip(":")
    return f"an address that PostgreSQL's client can read ({said}): {ENCODE}"
