"""Secrets that lie in files, as containers are given them: where a setting is secret, ``NAME_FILE`` may name the file
that holds the value of ``NAME``."""

from pathlib import Path

from config.instance_files import WrongSetting, why

ENDING = "_FILE"
LARGEST = 100_000  # bytes of a file with one value


def value_in(name: str, given: str, instance: Path) -> tuple[str, str]:
    """Return what the file holds that ``NAME_FILE`` names, without the end of its last line, and where it came from. A
    relative path lies in the instance folder. Raises WrongSetting, which names the file and never what is in it."""
    path = instance / Path(given)
    shown = f"{name}{ENDING}: the file {ascii(str(path))[1:-1]}"
    try:
        content = _content(path)
    except ValueError:
        raise WrongSetting(f"{shown} has a name that no file can have.") from None
    except OSError as error:
        raise WrongSetting(f"{shown} cannot be read: {why(error)}.") from None
    if len(content) > LARGEST:
        raise WrongSetting(f"{shown} is larger than {LARGEST:,} bytes, which no {name} is.")
    try:
        value = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrongSetting(f"{shown} is not UTF-8.") from None
    if not value:
        raise WrongSetting(f"{shown} is empty. Put the value of {name} there, or remove {name}{ENDING}.")
    return value, f"the file {path}"


def _content(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(LARGEST + 1)
