"""A process that cannot answer any more ends itself, and one that can goes on."""

import sys
from subprocess import run

import pytest

from server.watchdog import UNWELL

pytestmark = pytest.mark.slow

AROUND = """
import os, resource, time
from server import watchdog
from server.watchdog import Vitals

looks = []
def well(environ, start):
    looks.append(1)
    start("200 OK", [])
    return [b""]

def faulty(environ, start):
    raise OSError

def wait():
    for _ in range(3000):
        if len(looks) > 3 * watchdog.LOOKS:
            break
        time.sleep(0.01)
    print("goes on")

{what}
"""
LOST = {
    "descriptors": """
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
Vitals(well, lambda: None, 0.05).start()
try:
    while True:
        os.open(os.devnull, os.O_RDONLY)
except OSError:
    pass
wait()
""",
    "threads": """
Vitals(well, lambda: None, 0.05).start()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used, used))
wait()
""",
    "health": "Vitals(faulty, lambda: None, 0.01).start(); wait()",
}


@pytest.mark.parametrize("what", LOST)
def test_a_process_that_has_lost_what_it_needs_ends_itself(what: str) -> None:
    done = run([sys.executable, "-c", AROUND.format(what=LOST[what])], capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.count(b"goes on")) == (UNWELL, 0), done.stderr


def test_a_process_that_is_well_goes_on() -> None:
    script = AROUND.format(what="Vitals(well, lambda: None, 0.01).start(); wait()")
    done = run([sys.executable, "-c", script], capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, b"goes on\n"), done.stderr
