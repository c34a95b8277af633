"""How much room the disks have on which we write: of the SQLite file, of the instance folder, and of backups. That of
PostgreSQL is another machine's matter, or at least another program's, and cannot be seen from here."""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

from config.backups import BUCKET
from config.counts import in_bytes
from config.database_url import sqlite_file
from config.settings import Settings

MOST_LEAST = 20 * 10**9  # bytes: where as much is free, no disk is nearly full, however large it is
PATIENCE = 1.0  # seconds: a folder of another machine may never answer

USES = {"database": "the database", "instance": "the instance folder", "backups": "backups"}
_WITHOUT_ROOM = {
    "database": "pages are refused with 503, and Mixpanel sends them again",
    "instance": "no file is taken for an import, and no long answer of Mixpanel's is kept",
    "backups": "no backup is kept",
}
_under_way: dict[Path, "_Look"] = {}


@dataclass(frozen=True)
class Disk:
    """One file system: what it is used for (of USES), the first folder of ours on it, and its bytes. `least` are those
    below which it is called nearly full."""

    uses: tuple[str, ...]
    folder: Path
    device: int
    free: int
    size: int
    least: int

    @property
    def is_filling(self) -> bool:
        return self.free < self.least

    @property
    def name(self) -> str:
        """What it is, in the middle of a sentence."""
        return f"the disk of {_listed([USES[use] for use in self.uses])}"

    @property
    def machine(self) -> str:
        return platform.node()[:100] or "this machine"

    @property
    def left(self) -> str:
        """How much is left, in a sentence."""
        verb = "is" if self.free == 1 else "are"
        return f"{in_bytes(self.free)} of {in_bytes(self.size)} {verb} left there ({self.folder} on {self.machine})."

    @property
    def without_room(self) -> str:
        """What happens once nothing is left, in a sentence."""
        return f"Without room {'; '.join(_WITHOUT_ROOM[use] for use in self.uses)}."


WHAT_TO_DO = "Make room there, or keep less: RETAIN_PAGES_DAYS, MAX_DOWNLOADS_MB and BACKUP_KEEP say how much is kept."


def disks(settings: Settings) -> list[Disk]:
    """Return the disks that we write on, each once; without those that are not there, or do not answer."""
    found: list[Disk] = []
    for use, folder in _folders(settings):
        seen = _disk(use, folder, settings.disk_low_percent)
        if seen is None:
            continue
        at = next((at for at, disk in enumerate(found) if disk.device == seen.device), None)
        if at is None:
            found.append(seen)
        else:
            found[at] = replace(found[at], uses=(*found[at].uses, use))
    return found


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    if settings.on_sqlite:
        yield "database", sqlite_file(settings.database_url).parent
    yield "instance", settings.instance
    if settings.backup_to and not settings.backup_to.startswith(BUCKET):
        yield "backups", Path(settings.backup_to)


class _Look(Thread):
    """Looks beside the caller, who would wait for ever for a server of files that has gone away."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.begun = folder, time.monotonic()
        self.seen: tuple[int, os.statvfs_result] | None = None

    def run(self) -> None:
        with suppress(OSError):
            self.seen = self.folder.stat().st_dev, os.statvfs(self.folder)


def _look(folder: Path) -> tuple[int, os.statvfs_result] | None:
    """Return its device and its room; None where it is not there, or has not answered in time. Whoever asks while
    another one waits is given that one's answer."""
    look = _under_way.get(folder)
    if look is None or not look.is_alive():
        look = _under_way[folder] = _Look(folder)
        look.start()
    look.join(max(0, look.begun + PATIENCE - time.monotonic()))
    return look.seen


def _disk(use: str, folder: Path, percent: int) -> Disk | None:
    seen = _look(folder)
    if seen is None:
        return None
    device, room = seen
    size, free = room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize
    return Disk((use,), folder, device, free, size, min(size * percent // 100, MOST_LEAST))


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
