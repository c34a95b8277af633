"""Whether the disks that we write on have room."""

from collections.abc import Iterator

from commands.doctor.check import Check, ok, warn
from config import disk_room
from config.disk_room import USES
from config.settings import Settings

NAME = "disk"


def all_disks(settings: Settings) -> Iterator[Check]:
    for disk in disk_room.disks(settings):
        found = f"{', '.join(USES[use] for use in disk.uses)}: {disk.left.removesuffix('.')}"
        yield warn(NAME, f"{found}, nearly full", disk_room.WHAT_TO_DO) if disk.is_filling else ok(NAME, found)
