"""A disk that is small enough to be filled."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import servers


@dataclass(frozen=True)
class Disk:
    """A file system of its own in `folder`."""

    folder: Path

    def fill(self) -> None:
        """Not a byte more fits on it."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for piece in (1 << 20, 1 << 12, 1):
                try:
                    while ballast.write(bytes(piece)):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self.folder / "ballast").unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """A new disk in memory, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cohort-relay-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            servers.missing("A small disk (mount -t tmpfs, which only root may)")
        try:
            yield Disk(Path(folder))
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
