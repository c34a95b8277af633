"""The bodies that an import holds in memory, so that a large file takes no more than a small one."""

import threading


class MemoryLimit:
    """Limits what is in memory to `most` bytes in so many `batches`; `take` waits until there is room. A batch that is
    larger than all of it has it for itself."""

    def __init__(self, most: int, batches: int) -> None:
        self.most, self.most_batches = most, batches
        self.held, self.is_free = 0, False
        self.batches = 0
        self.changed = threading.Condition()

    def take(self, size: int) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.is_free or self._has_room(size))
            self.held += size
            self.batches += 1

    def _has_room(self, size: int) -> bool:
        return self.batches < self.most_batches and (not self.held or self.held + size <= self.most)

    def give_back(self, size: int) -> None:
        with self.changed:
            self.held -= size
            self.batches -= 1
            self.changed.notify()

    def free(self) -> None:
        """Let everybody through, because the import is over."""
        with self.changed:
            self.is_free = True
            self.changed.notify_all()
