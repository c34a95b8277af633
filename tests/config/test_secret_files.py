"""Secrets from files: whatever secret lies in a file is the same as if it stood in the environment."""

from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.secret_files import LARGEST
from config.settings import SETTINGS, WrongSetting, load, settings_shown
from tests.servers import SECRET_KEY

SECRETS = [one.name for one in SETTINGS if one.secret]
OTHERS = [one.name for one in SETTINGS if not one.secret and one.name != "INSTANCE_PATH"]
GOOD = {
    "SENTRY_DSN": "https://key@errors.example.com/1",
    "DATABASE_URL": "postgresql://relay:word@db/relay",
    "DATABASE_READ_URL": "postgresql://relay:word@replica/relay",
    "REDIS_URL": "rediss://:word@cache:6379/1",
    "SECRET_KEY": SECRET_KEY,
    "BACKUP_KEY": SECRET_KEY,
    "BACKUP_KEY_OLD": SECRET_KEY,
    "SMTP_URL": "smtps://me:word@mail.example.com",
    "ALERT_SLACK_URL": "https://hooks.example.com/a",
    "ALERT_WEBHOOK_URL": "https://alerts.example.com/",
}
SHARED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], database=None
)


def loaded(folder: Path, **environ: str):
    beside = (
        {"DATABASE_URL": GOOD["DATABASE_URL"]} if any(name.startswith("DATABASE_READ_URL") for name in environ) else {}
    )
    key = "" if "SECRET_KEY_FILE" in environ else SECRET_KEY
    return load({"INSTANCE_PATH": str(folder), "SECRET_KEY": key} | beside | environ)


def secret_file(folder: Path, content: bytes) -> Path:
    file = folder / "secret"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_every_secret_may_lie_in_a_file(tmp_path: Path, name: str, end: str) -> None:
    value = GOOD.get(name, "one of its own")
    file = secret_file(tmp_path, f"{value}{end}".encode())
    settings, wanted = loaded(tmp_path, **{f"{name}_FILE": str(file)}), loaded(tmp_path, **{name: value})
    assert getattr(settings, name.lower()) == getattr(wanted, name.lower())
    assert settings.origins[name] == f"the file {file}"
    assert {"name": name, "value": "[masked]", "origin": f"the file {file}"} in settings_shown(settings)


@hypothesis.settings(SHARED, max_examples=300)
@given(st.sampled_from(SECRETS), st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=40)))
def test_whatever_lies_there_is_read_as_the_environment_would_be_or_refused_by_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    file = secret_file(tmp_path, content)
    try:
        settings = loaded(tmp_path, **{f"{name}_FILE": str(file)})
    except WrongSetting as error:
        said = error.message
    else:
        as_given = loaded(tmp_path, **{name: content.decode("utf-8-sig").rstrip("\r\n")})
        assert getattr(settings, name.lower()) == getattr(as_given, name.lower())
        return
    assert said.startswith((f"{name}_FILE: the file {file} ", f"{name} (from the file {file}): "))


@pytest.mark.parametrize("name", SECRETS)
def test_both_set_is_refused_wherever_they_stand(tmp_path: Path, name: str) -> None:
    file = secret_file(tmp_path, b"x")
    (tmp_path / ".env").write_text(f"{name}={GOOD.get(name, 'x')}\n")
    with pytest.raises(WrongSetting, match=rf"^{name} \(from .*\) and {name}_FILE \(from environment\) are both set"):
        loaded(tmp_path, **{f"{name}_FILE": str(file), "SECRET_KEY": "" if name == "SECRET_KEY" else SECRET_KEY})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe\xfd", "is not UTF-8"),
        (b"x" * (LARGEST + 1), "is larger than"),
    ],
)
def test_a_file_that_is_no_use_is_named_and_not_quoted(tmp_path: Path, content: bytes, said: str) -> None:
    file = secret_file(tmp_path, content)
    with pytest.raises(WrongSetting, match=f"^DATABASE_URL_FILE: the file {file} {said}"):
        loaded(tmp_path, DATABASE_URL_FILE=str(file))


def test_a_file_that_cannot_be_read_is_named_with_who_tried(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(WrongSetting, match=rf"^REDIS_URL_FILE: the file {path} cannot be read: .* \(as user "):
            loaded(tmp_path, REDIS_URL_FILE=str(path))
    with pytest.raises(WrongSetting, match=r"^REDIS_URL_FILE: the file .*\\x00.* has a name that no file can have"):
        loaded(tmp_path, REDIS_URL_FILE="a\0b")


def test_what_a_wrong_secret_says_is_not_shown(tmp_path: Path) -> None:
    file = secret_file(tmp_path, b"mysql://me:hunter2@db")
    with pytest.raises(WrongSetting, match=f"^DATABASE_URL \\(from the file {file}\\): its value is not") as caught:
        loaded(tmp_path, DATABASE_URL_FILE=str(file))
    assert "hunter2" not in str(caught.value)


def test_a_relative_path_lies_in_the_instance_folder_also_from_its_file_of_settings(tmp_path: Path) -> None:
    secret_file(tmp_path, b"https://hooks.example.com/a")
    (tmp_path / ".env").write_text("ALERT_SLACK_URL_FILE=secret\n")
    assert loaded(tmp_path).alert_slack_url == "https://hooks.example.com/a"


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_secret_has_no_file(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, **{f"{name}_FILE": "/nowhere"}).origins[name] == "default"


def test_the_documents_name_every_one_of_them() -> None:
    told = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()
    assert [name for name in SECRETS if f"`{name}_FILE" not in told] == []
