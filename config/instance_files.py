"""The instance folder and what is read there, each with a sentence where it cannot be."""

import io
import os
import pwd
from pathlib import Path

import click
from dotenv import dotenv_values

UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # as Windows' editors begin a file that they call Unicode
LARGEST = 1_000_000  # bytes of a file of settings


class WrongSetting(click.ClickException):
    """A setting holds a value that cannot be read; the message names the setting and says what would be right."""


def user() -> str:
    """Return who this process is, for people."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"number {os.geteuid()}"


def why(error: OSError) -> str:
    """Return what the system says, and to whom."""
    return f"{error.strerror or type(error).__name__} (as user {user()})"


def made(given: str, root: Path) -> Path:
    """Return the instance folder, made if it is missing; `~` is the home of whoever runs this. Raises WrongSetting."""
    try:
        given.encode()
        folder = root / Path(given).expanduser()
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)  # whatever the umask: members and hashes are in it
    except (ValueError, RuntimeError):
        raise WrongSetting(f"INSTANCE_PATH: {given!a} is not the path of a folder.") from None
    except OSError as error:
        shown = ascii(given)[1:-1]
        raise WrongSetting(f"INSTANCE_PATH: the folder {shown} cannot be made or entered: {why(error)}.") from None
    return folder


def stored(file: Path) -> dict[str, str]:
    """Return what a file of settings says; nothing where there is none. Raises WrongSetting."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WrongSetting(f"{file} cannot be read: {why(error)}.") from None
    if len(content) > LARGEST:
        raise WrongSetting(f"{file} is larger than a megabyte, which no file of settings is.")
    found = dotenv_values(stream=io.StringIO(_text(content, file)))
    return {name: value for name, value in found.items() if value is not None}


def _text(content: bytes, file: Path) -> str:
    if content.startswith(UTF_16):
        return _decoded(content, "utf-16", file)
    return _decoded(content, "utf-8-sig", file)


def _decoded(content: bytes, encoding: str, file: Path) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongSetting(f"{file}, line {line}: this is not UTF-8. Save the file as UTF-8.") from None
