"""Workers that die: `python -m tests.destinations.dying` reads lines of a moment (milliseconds since 1970) and of
seconds, starts a worker whose clock begins at the moment, kills it so many seconds later, and says so.

Each is a fork of this process, which has opened no connection: to start Python for each would take a second.
"""

import os
import signal
import sys
import time
from threading import Event

from app import create_app
from config.settings import load
from destinations.worker import Worker
from tests.relay import TestClock


class Running(TestClock):
    """A clock that goes on from where it was set."""

    began = 0.0

    def begin(self, now: int) -> None:
        self.time, self.began = now, time.monotonic()

    def __call__(self) -> int:
        return self.time + round((time.monotonic() - self.began) * 1000)


def main() -> None:
    """Raises ChildProcessError where a worker ends in another way than by its death."""
    clock = Running()
    runtime = create_app(load(os.environ), clock).extensions["runtime"]
    for line in sys.stdin:
        moment, seconds = line.split()
        child = os.fork()
        if child == 0:
            clock.begin(int(moment))
            Worker(runtime, Event()).run()
            os._exit(1)
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if status != signal.SIGKILL:
            raise ChildProcessError(status)
        sys.stdout.write("dead\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
