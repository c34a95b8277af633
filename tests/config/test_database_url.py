"""Addresses of databases: whatever is honest is read whole, and what cannot be read says why without showing it."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config.database_url import database_url, parameters, says_pooler, sqlite_file, where, without_password
from config.parsers import WrongValue
from config.settings import WrongSetting, load

names = some.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=12)
secrets = some.text(some.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
hosts = some.one_of(names, some.just("[::1]"), some.just("10.0.0.7"), some.just("%2Fvar%2Frun%2Fpostgresql"))
ports = some.integers(1, 65535)
addresses = some.lists(some.tuples(hosts, ports), min_size=1, max_size=4)
schemes = some.sampled_from(
    ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg", "POSTGRESQL"]
)


def plain(host: str) -> str:
    return host.strip("[]").replace("%2F", "/")


@given(schemes, names, secrets, addresses, names, some.booleans())
def test_every_honest_address_means_what_it_says(scheme, user, password, servers, database, pooler) -> None:
    listed = ",".join(f"{host}:{port}" for host, port in servers)
    address = f"{scheme}://{user}:{quote(password, safe='')}@{listed}/{database}?sslmode=require"
    found = parameters(database_url(address + ("&pgbouncer=true" if pooler else "")))
    assert found == {
        "user": user,
        "password": password,
        "host": ",".join(plain(host) for host, _port in servers),
        "port": ",".join(str(port) for _host, port in servers),
        "dbname": database,
        "sslmode": "require",
    }
    assert says_pooler(database_url(address)) is False


@given(some.text(max_size=80), some.sampled_from(["", "postgresql://", "postgresql://u:hunter2@h", "sqlite:///"]))
def test_whatever_is_written_is_an_address_or_a_reason(rest: str, head: str) -> None:
    found, reason = read(head + rest)
    assert "hunter2" not in reason
    if found.startswith("postgresql"):
        assert parameters(found) is not None
        assert where(found)


def read(value: str) -> tuple[str, str]:
    """The address, or the reason why it is none."""
    try:
        return database_url(value), ""
    except WrongValue as error:
        return "", str(error)


@given(secrets, names)
def test_the_password_is_not_in_what_others_are_shown(password: str, user: str) -> None:
    password = f"hunter2{password}"
    by_place = f"postgresql://{user}:{quote(password, safe='')}@db/relay?sslmode=require"
    by_name = f"postgresql://{user}@db/relay?password={quote(password, safe='')}&sslmode=require"
    for address in (by_place, by_name):
        shown = without_password(database_url(address))
        assert shown == f"postgresql://{user}@db/relay?sslmode=require"
        assert "hunter2" not in where(database_url(address))


POOLED = {
    "postgresql://db/relay?pgbouncer=true": True,
    "postgresql://db/relay?sslmode=require&pgbouncer=1": True,
    "postgresql://db/relay?pgbouncer=true&sslmode=require": True,
    "postgresql://db/relay?pgbouncer=false": False,
    "postgresql://db/relay": False,
}


@pytest.mark.parametrize("address", POOLED)
def test_an_address_may_say_that_a_pooler_stands_before_the_server(address: str) -> None:
    assert says_pooler(database_url(address)) is POOLED[address]
    assert "pgbouncer" not in parameters(database_url(address))


WRONG = {
    "postgresql://db/relay?schema=public": "it has no parameter schema",
    "postgresql://db/relay?pgbouncer=maybe": "parameter pgbouncer is true or false",
    "postgresql://db:port/relay": "whole numbers from 1 to 65535",
    "postgresql://db:70000/relay": "whole numbers from 1 to 65535",
    "postgresql://u:pass/word@db/relay": "write %40 for @, %2F for /",
    "postgresql://u:p@ss@db/relay": "write %40 for @",
    "postgresql://u:%zz@db/relay": "invalid percent-encoded token",
    "postgresql://d b/relay": "unexpected spaces",
    "postgresql://u@/relay?host=h1&host=h2": "several hosts are written h1:5432,h2:5432",
    "sqlite://": "begins with sqlite:///",
    "sqlite:///": "a SQLite file",
    "sqlite:///:memory:": "a SQLite file",
    "sqlite:///relay.db?mode=memory": "a SQLite file",
    "mysql://db/relay": "begins with sqlite:/// or postgresql://",
}


@pytest.mark.parametrize("address", WRONG)
def test_what_cannot_be_read_stops_the_start_with_setting_and_reason(tmp_path, address: str) -> None:
    with pytest.raises(WrongSetting, match=r"^DATABASE_URL \(from environment\): its value is not .*\.$") as caught:
        load({"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": address})
    assert WRONG[address] in str(caught.value)


@pytest.mark.parametrize("name", ["relay.db", "a?b.db", "50%.db", "a#b.db", "~me.db", "with space.db", "ä.db"])
def test_a_file_may_have_any_name_in_a_folder_of_any_name(tmp_path, name: str) -> None:
    folder = tmp_path / name
    assert sqlite_file(load({"INSTANCE_PATH": str(folder)}).database_url) == folder / "cohort-relay.db"


def test_a_relative_file_lies_in_the_instance_folder(tmp_path) -> None:
    settings = load({"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": "sqlite:///own.db"})
    assert sqlite_file(settings.database_url) == tmp_path / "own.db"
