"""Settings: where a value comes from, and what a wrong one says. (`tests/test_docs.py` holds the table in the docs.)"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from config import instance_files
from config.settings import SETTINGS, Settings, WrongSetting, load
from models.maintenance import schema
from tests.servers import SECRET_KEY


def loaded(folder: Path, **environ: str):
    return load({"INSTANCE_PATH": str(folder)} | environ)


WRONG = {
    "PORT": ["no", "0", "65536", "80.5", "-1", "\u0663", "8_0", "9" * 5000],
    "DATABASE_URL": ["mysql://x", "sqlite:relative", "relay.db"],
    "DATABASE_READ_URL": ["mysql://x", "sqlite:relative", "sqlite:///a.db", "postgresql://replica/relay"],
    "DATABASE_POOL_SIZE": ["0", "201"],
    "REDIS_URL": [
        "http://x",
        "localhost:6379",
        "redis://h/x",
        "redis://h:x",
        "redis://h?x=1",
        "redis://h?ssl_keyfile=a",
    ],
    "PUBLIC_URL": [
        *("ftp://x", "example.org", "https://", "https://x/relay", "https://x?a=1", "https://x:99999", "https://x:"),
        *("https://a b", "https://me:pw@x", "https://x#a", "https://[::1", "https://a..b", "https://x/%2e"),
    ],
    "HOST": ["a b", "http://x", "1.2.3.4:80", "-", "x" * 300],
    "ALLOWED_HOSTS": ["a b", "http://x", "a,b/c"],
    "SMTP_URL": ["smtp://", "smtp://user:pass#word@h", "smtp://h:x", "smtp://h h"],
    "ALERT_WEBHOOK_URL": ["https://", "https://h:0x1/", "https://h/#a"],
    "SIGN_IN_FAILURE_LIMIT": ["0 per minute", "1000000000000 per day", "\u0663 per minute"],
    "TRUSTED_PROXIES": ["-1", "11"],
    "THREADS": ["0", "many"],
    "MAX_BODY_MB": ["0", "1025"],
    "SETTLE_SECONDS": ["0", "2 minutes"],
    "STALLED_SECONDS": ["0"],
    "SWEEP_INLINE_MEMBERS": ["-1"],
    "WEBHOOK_RATE_LIMIT": ["fast", "10", "10 per week", "ten per minute"],
    "LOG_LEVEL": ["loud"],
    "LOG_FORMAT": ["xml"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_stops_the_start_and_names_itself(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"^{name} \\(from environment\\): .* is not .*\\.$"):
        loaded(tmp_path, **{name: value})


def test_a_wrong_value_in_the_file_says_that_it_is_from_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=no\n")
    with pytest.raises(WrongSetting, match=r"^PORT \(from \.env\): 'no' is not a whole number from 1 to 65535\.$"):
        loaded(tmp_path)


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting) as caught:
        loaded(tmp_path, DATABASE_URL="mysql://me:hunter2@db")
    assert "hunter2" not in str(caught.value)


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8001\nTHREADS=3\n")
    settings = loaded(tmp_path, PORT="8002")
    assert (settings.port, settings.threads, settings.max_body_mb) == (8002, 3, 32)
    origins = [settings.origins[name] for name in ("PORT", "THREADS", "MAX_BODY_MB")]
    assert origins == ["environment", ".env", "default"]


def test_an_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8001\nTHREADS=\n")
    settings = loaded(tmp_path, PORT="")
    assert (settings.port, settings.threads) == (8001, 8)


def test_every_default_can_be_read(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert set(settings.origins) == {setting.name for setting in SETTINGS}
    assert settings.origins.pop("INSTANCE_PATH") == "environment"
    assert set(settings.origins.values()) == {"default"}


def test_names_are_unique_and_every_setting_explains_itself() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_the_default_database_is_sqlite_in_the_instance_folder(tmp_path: Path) -> None:
    settings = loaded(tmp_path / "new")
    assert settings.database_url == f"sqlite:///{tmp_path}/new/cohort-relay.db"
    assert settings.on_sqlite


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_understood(tmp_path: Path, scheme: str) -> None:
    settings = loaded(tmp_path, DATABASE_URL=f"{scheme}://me@db/x")
    assert settings.database_url == "postgresql+psycopg://me@db/x"
    assert not settings.on_sqlite


def test_the_public_url_is_the_listening_address_where_none_is_given(tmp_path: Path) -> None:
    assert loaded(tmp_path, PORT="8001").public_url == "http://127.0.0.1:8001"
    assert loaded(tmp_path, PUBLIC_URL="https://relay.example.org/").public_url == "https://relay.example.org"


def test_the_secret_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = loaded(tmp_path).secret_key, loaded(tmp_path).secret_key
    assert first == second
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret-key"]


def test_a_given_secret_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    assert loaded(tmp_path, SECRET_KEY=SECRET_KEY).secret_key == SECRET_KEY
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", ["", "\n", "cut-short", "secret" * 20])
def test_a_file_that_holds_no_key_stops_the_start_and_is_left_as_it_is(tmp_path: Path, kept: str) -> None:
    (tmp_path / "secret-key").write_text(kept)
    with pytest.raises(WrongSetting, match="from your backup"):
        loaded(tmp_path)
    assert (tmp_path / "secret-key").read_text() == kept


def test_processes_that_start_at_once_agree_on_the_secret_key(tmp_path: Path) -> None:
    code = "from config.settings import load; print(load().secret_key)"
    environ = os.environ | {"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": ""}
    command = [sys.executable, "-c", code]
    root = Path(__file__).resolve().parents[2]
    started = [subprocess.Popen(command, cwd=root, env=environ, stdout=subprocess.PIPE) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://relay.example.org//", "https://relay.example.org"),
        ("https://RELAY.example.org:8443", "https://relay.example.org:8443"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_the_public_url_is_kept_as_browsers_write_it(tmp_path: Path, given: str, kept: str) -> None:
    assert loaded(tmp_path, PUBLIC_URL=given).public_url == kept


@pytest.mark.parametrize(
    ("host", "url"),
    [("::", "http://localhost:8000"), ("::1", "http://[::1]:8000"), ("0.0.0.0", "http://localhost:8000")],
)
def test_an_address_that_is_printed_can_be_opened(tmp_path: Path, host: str, url: str) -> None:
    assert loaded(tmp_path, HOST=host).public_url == url


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_settings_is_read_by_its_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes("PORT=8001\nALERT_WEBHOOK_SECRET=gr\u00fc\u00dfe\n".encode(encoding))
    settings = loaded(tmp_path)
    assert (settings.port, settings.alert_webhook_secret) == (8001, "gr\u00fc\u00dfe")


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PORT=8001\nALERT_WEBHOOK_SECRET=gr\u00fc\u00dfe\n".encode("latin-1"))
    with pytest.raises(WrongSetting, match=r"\.env, line 2: this is not UTF-8"):
        loaded(tmp_path)


def test_places_that_cannot_be_are_named_with_their_user(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / ".env").mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300), Path("/proc/1/relay")):
        said = f"INSTANCE_PATH: the folder {folder} cannot be made.*as user {instance_files.user()}"
        with pytest.raises(WrongSetting, match=said):
            loaded(folder)
    with pytest.raises(WrongSetting, match=r"\.env cannot be read: .*as user"):
        loaded(tmp_path / "folder")
    (tmp_path / "secret-key").mkdir()
    with pytest.raises(WrongSetting, match=r"secret-key cannot be read or written: .*as user"):
        loaded(tmp_path)


@pytest.mark.parametrize("name", ["a?b", "50%", "100%25", "#1", "with blank", "caf\u00e9", "a&b=c", "x~", "'quoted'"])
def test_an_instance_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    app = create_app(load({"INSTANCE_PATH": str(folder), "LOG_LEVEL": "error"}))
    database = app.extensions["runtime"].database
    database.alter(schema.upgrade)
    assert app.test_client().get("/readyz").status_code == 200
    database.dispose()
    assert (folder / "cohort-relay.db").stat().st_size > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_tilde_is_somebodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load({"INSTANCE_PATH": "~/relay"}).instance == tmp_path / "relay"


SHARED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], database=None
)
SCHEMES = ["http://", "https://", "redis://", "rediss://", "smtp://", "postgresql://", "sqlite:///"]
SIGNS = ["/", ":", "@", "#", "?", "%", "[", "]", ",", "*", " ", "\n", "\0", "\ud800", "\u00e9", "\u0663"]
PIECES = [*SCHEMES, *SIGNS, "a", "example.org", "127.0.0.1", "::1", "8000", "-1", "0", "9" * 400, "30 per minute"]
VALUES = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=7).map("".join))


def said_of(folder: Path, environ: dict[str, str]) -> WrongSetting | Settings:
    try:
        return loaded(folder, **environ)
    except WrongSetting as error:
        return error


@hypothesis.settings(SHARED, max_examples=1500)
@given(st.sampled_from([one.name for one in SETTINGS if one.name != "INSTANCE_PATH"]), VALUES)
def test_whatever_a_setting_says_it_is_read_or_refused_in_a_sentence(tmp_path: Path, name: str, value: str) -> None:
    said = said_of(tmp_path, {"SECRET_KEY": SECRET_KEY} | {name: value})
    assert str(said).encode(), "it can be printed"
    assert isinstance(said, Settings) or said.message.startswith(f"{name} (from environment): ")


@hypothesis.settings(SHARED, max_examples=200)
@given(st.one_of(st.binary(max_size=60), VALUES.map(lambda text: f"PORT={text}".encode("utf-8", "surrogatepass"))))
def test_whatever_a_file_of_settings_holds_it_is_read_or_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    assert str(said_of(tmp_path, {"SECRET_KEY": SECRET_KEY})).encode()


def test_a_value_or_a_file_that_is_far_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="at most 10,000 characters"):
        loaded(tmp_path, ALERT_WEBHOOK_SECRET="x" * 10_001)
    (tmp_path / ".env").write_text("#" * 1_000_001)
    with pytest.raises(WrongSetting, match="larger than a megabyte"):
        loaded(tmp_path)


def test_what_is_no_setting_is_no_attribute(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="no setting 'colour'"):
        _ = loaded(tmp_path).colour


def test_what_we_make_is_for_our_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    folder, before = tmp_path / "made", os.umask(0o002)
    try:
        app = create_app(load({"INSTANCE_PATH": str(folder), "LOG_LEVEL": "error"}))
        app.extensions["runtime"].database.alter(schema.upgrade)
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (folder, *folder.iterdir())}
        app.extensions["runtime"].database.dispose()
    finally:
        os.umask(before)
    assert modes.pop("made") == 0o700
    assert {"cohort-relay.db", "secret-key"} <= modes.keys()
    assert set(modes.values()) == {0o600}, modes
