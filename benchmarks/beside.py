"""Two checkouts beside each other, in turns and on the same pages: what a change has made of the webhook's speed.

    python -m benchmarks.beside ../before ../after

Each checkout has a .venv of its own (or a link to one). A ratio over 1 says that the second one is faster.
"""

import argparse
import base64
import gc
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.__main__ import FLOORS, Side, cases
from benchmarks.server import Client

BLOCK = 15  # pages of one side before the other's turn
POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"

# Runs in a checkout: its own tables, its own server, until its standard input ends. Prints where, and with what head.
HOST = """
import base64, sys, tempfile
from contextlib import ExitStack
from pathlib import Path
sys.path.insert(0, ".")
from benchmarks import server, stored
with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
    url = stack.enter_context(stored.database(sys.argv[1], Path(name), sys.argv[2]))
    client = stack.enter_context(server.relay(url, Path(name)))
    print(client.line.getpeername()[1], base64.b64encode(client.head).decode(), flush=True)
    sys.stdin.read()
"""


@contextmanager
def hosted(checkout: Path, dialect: str, address: str) -> Iterator[Client]:
    """A client of a server that runs the code of `checkout` on an empty database."""
    command = [str(checkout / ".venv" / "bin" / "python"), "-c", HOST, dialect, address]
    with subprocess.Popen(command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        port, head = running.stdout.readline().split()
        yield Client(int(port), base64.b64decode(head))


def compare(checkouts: list[Path], dialect: str, pages: int, address: str) -> None:
    with ExitStack() as stack:
        sides = [Side(stack.enter_context(hosted(one, dialect, address)).page) for one in checkouts]
        for case, bodies in cases([], pages):
            for start in range(0, len(bodies), BLOCK):
                for side in sides:
                    side.take(case, bodies[start : start + BLOCK])
        print(f"\n{dialect}\n{'':22}{'before ms':>11}{'after ms':>11}{'ratio':>8}")
        for case in filter(None, sides[0].times):
            before, after = (statistics.median(side.times[case]) for side in sides)
            print(f"{case:22}{before * 1000:11.1f}{after * 1000:11.1f}{before / after:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--databases", nargs="+", choices=FLOORS, default=list(FLOORS))
    parser.add_argument("--pages", type=int, default=150, help="pages a case")
    parser.add_argument("--postgresql", default=POSTGRESQL)
    options = parser.parse_args()
    gc.freeze()
    for dialect in options.databases:
        compare([one.resolve() for one in options.checkouts], dialect, options.pages, options.postgresql)


if __name__ == "__main__":
    sys.exit(main())
