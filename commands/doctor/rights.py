"""Who else on this machine can read what the relay keeps: the folder, the database, the key, settings and uploads."""

import shlex
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from commands.doctor.check import Check, ok, warn
from config import secret_key_file
from config.database_url import sqlite_file
from config.settings import Settings

FOLDERS = ("imports", "downloads")  # of the instance folder, with what people have uploaded and fetched
MOST = 1000  # files of a folder that are looked at
SHOWN = 3

# What others may: read it, enter the folder, replace it or what is in it.
READ, ENTER, WRITE = stat.S_IROTH, stat.S_IXOTH, stat.S_IWOTH


def of_others(settings: Settings) -> Check:
    """Check whether members, hashes and the key are for the app's user alone."""
    found = open_to_others(settings)
    if not found:
        return ok("rights", "no other user of this machine can read what is kept in files")
    named = ", ".join(str(path) for path in found[:SHOWN])
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return warn("rights", f"every user of this machine can read or write {named}{more}", f"Run: {mend(found)}")


def open_to_others(settings: Settings) -> list[Path]:
    """Return the paths that another user of this machine can read or write, the folder first."""
    return [path for path in _kept(settings) if _is_open(path)]


def mend(paths: list[Path]) -> str:
    """Return the command that takes these rights from others, and from nobody else; a folder brings what is in it."""
    outermost = [path for path in paths if not set(path.parents) & set(paths)]
    return f"chmod -R o-rwx {' '.join(shlex.quote(str(path)) for path in outermost)}"


def _kept(settings: Settings) -> Iterator[Path]:
    folder = settings.instance
    yield folder
    if settings.on_sqlite:
        file = sqlite_file(settings.database_url)
        yield from (file.with_name(f"{file.name}{ending}") for ending in ("", "-wal", "-shm"))
    yield from (folder / name for name in (secret_key_file.NAME, ".env"))
    for name in FOLDERS:
        yield folder / name
        yield from islice((folder / name).glob("*"), MOST)


def _is_open(path: Path) -> bool:
    """Tell whether others may; what they cannot come to is closed. What is not there, or not ours to see, is not
    open."""
    try:
        mode, around = path.stat().st_mode, path.parent.stat().st_mode
    except OSError:
        return False
    return bool(mode & (READ | WRITE)) and bool(around & ENTER)
