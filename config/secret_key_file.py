"""The file of the instance folder that holds SECRET_KEY where nobody has set it: the key, and below it earlier ones."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from config.instance_files import WrongSetting
from config.key_strength import is_random_enough

NAME = "secret-key"
MOST_BYTES = 64 * 1024

Mark = tuple[int, int, int]  # by which a file is known to be the one that was read


def new_key() -> str:
    return secrets.token_hex(32)


def keys_in(path: Path) -> tuple[str, ...]:
    """Return the keys in `path`, that of now first, and make one on first use; linking it into place lets two processes
    that start at once agree. Raises WrongSetting where the file holds no key, and OSError."""
    if not path.exists():
        fresh = _beside(path, [new_key()])
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    with path.open("rb") as file:
        kept = file.read(MOST_BYTES).decode(errors="replace").split("\n")
    keys = tuple(dict.fromkeys(line.strip() for line in kept if line.strip()))
    if not keys or not all(is_random_enough(key) for key in keys):
        raise WrongSetting(
            f"The file {path} holds no key that is good enough: it is empty, cut short, or was written by hand. Put it"
            " back from your backup; where there is none and nothing is stored yet, remove it, and another one is made."
        )
    return keys


def write(path: Path, keys: Sequence[str]) -> None:
    """Put these keys into the file at once, so that whoever reads it finds all of them or those of before."""
    fresh = _beside(path, keys)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def mark(path: Path) -> Mark | None:
    """Return what differs as soon as the file is another one; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _beside(path: Path, keys: Sequence[str]) -> Path:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    with fresh.open("w") as file:
        file.write("\n".join(keys))
        file.flush()
        os.fsync(file.fileno())
    return fresh
