"""An eraser that dies: `python -m tests.erasure.dying PROJECT ID` erases somebody in processes of which the first is
killed after its first commit, the second after its second, and so on, until one comes to the end. Prints how many died.

Each is a fork of this one, which has opened no connection: to start Python for each would take a second.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from app import create_app
from config.settings import load
from erasure import DataSubject, eraser
from models.database import Database


def die_after(commits: int) -> None:
    """From now on this process is killed as soon as it has written so often."""
    left, write = commits, Database.write

    def mortal(database: Database, work: Callable[..., Any]) -> Any:
        nonlocal left
        done = write(database, work)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    Database.write = mortal  # type: ignore[method-assign]


def main(person: DataSubject) -> int:
    """How many died. Raises ChildProcessError where one ends in another way than by its death or its success."""
    for deaths in count():
        child = os.fork()
        if child == 0:
            die_after(deaths + 1)
            eraser(create_app(load(os.environ)).extensions["runtime"]).erase(person, "tests")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return deaths
        if status != signal.SIGKILL:
            raise ChildProcessError(status)
    raise AssertionError("unreachable")


if __name__ == "__main__":
    sys.stdout.write(str(main(DataSubject(*sys.argv[1:]))))
