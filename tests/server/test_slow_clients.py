"""The watch over slow clients costs nothing that it does not give back, and outlives whatever goes wrong."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from server.caller_shares import Caller
from server.concurrency import Arriving, Turns
from server.slow_clients import DESCRIPTORS, Watch

pytestmark = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="the watch needs /proc")

LOOKS = 50


def nothing(_environ: Any, _start: Any) -> list[bytes]:
    return []


@pytest.fixture
def overdue() -> Turns:
    """Turns with a request whose client keeps it waiting for too long."""
    turns = Turns(nothing, turns=1, patience=-1000)
    late = Arriving(turns, Caller("", 1), None)
    late.waits_since = 0.0
    turns.under_way[late] = None
    return turns


@pytest.fixture
def port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


def open_files() -> int:
    return sum(1 for _ in DESCRIPTORS.iterdir())


def test_looking_for_slow_clients_again_and_again_leaves_no_file_open(
    overdue: Turns, port: int, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        for number in range(10):
            stack.enter_context((tmp_path / str(number)).open("wb"))
        for end in os.pipe():
            stack.callback(os.close, end)
        stack.enter_context(socket.socket(socket.AF_UNIX))
        before = open_files()
        for _ in range(LOOKS):
            Watch(overdue, port).look()
        assert open_files() == before


# What a process does that has no descriptor left: the watch may see nothing, but it must go on.
OUT_OF_FILES = """
import os, resource, socket
from server.slow_clients import Watch
from tests.server.test_slow_clients import nothing
from server.caller_shares import Caller
from server.concurrency import Arriving, Turns
turns = Turns(nothing, turns=1, patience=-1000)
late = Arriving(turns, Caller('', 1), None)
late.waits_since = 0.0
turns.under_way[late] = None
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
watch = Watch(turns, 1)
watch.look_in_any_case()
watch.look_in_any_case()
while held:
    os.close(held.pop())
watch.look()
print("the watch goes on")
"""


def test_a_watch_that_finds_no_descriptor_left_goes_on() -> None:
    done = run([sys.executable, "-c", OUT_OF_FILES], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.endswith("the watch goes on\n"), done.stderr
