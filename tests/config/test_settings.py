"""Settings: where a value comes from, and what a wrong one says. (`tests/test_docs.py` holds the table in the docs.)"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import SETTINGS, WrongSetting, load
from tests.servers import SECRET_KEY


def loaded(folder: Path, **environ: str):
    return load({"INSTANCE_PATH": str(folder)} | environ)


WRONG = {
    "PORT": ["no", "0", "65536", "80.5", "-1"],
    "DATABASE_URL": ["mysql://x", "sqlite:relative", "relay.db"],
    "DATABASE_POOL_SIZE": ["0", "201"],
    "REDIS_URL": ["http://x", "localhost:6379"],
    "PUBLIC_URL": ["ftp://x", "example.org"],
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


def test_what_is_no_setting_is_no_attribute(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="no setting 'colour'"):
        _ = loaded(tmp_path).colour
