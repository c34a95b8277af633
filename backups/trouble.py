"""What can go wrong with a backup, in sentences for people."""

import errno

from config.instance_files import why
from models.maintenance.backup import NoBackup

__all__ = ["NoBackup", "NotKept", "NotMade", "Stopped", "told"]


class NotMade(Exception):
    """No backup was made; the message is a sentence for people."""


class NotKept(Exception):
    """The place does not take, give or list what it should; the message is a sentence for people."""


class Stopped(Exception):
    """The worker is to stop, or another one has taken over."""


def told(error: OSError) -> str:
    """Return what a file system says."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "There is no room left on the disk."
    return f"{why(error)}."
