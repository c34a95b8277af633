"""`make bench-scale`: ten million people a cohort.

    python -m benchmarks.scale [--database postgresql] [--people 10000000] [--parts sizes together leave reading]
        [--stored]

PostgreSQL is a cluster of the measurement's own, with the settings of benchmarks/scale/postgresql.conf. The parts build
on one another: the refresh makes the cohort that the others need, so it always runs, unless --stored puts the people in
by COPY (PostgreSQL only). Exits 1 where a bar does not hold.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.scale import leave, reading, refresh, sizes, stored, together
from benchmarks.scale.report import Verdicts
from benchmarks.scale.stage import stage

PARTS = {"sizes": sizes, "together": together, "leave": leave, "reading": reading}
ON_SQLITE = ("sizes", "leave", "reading")  # SQLite is one process


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--people", type=int, default=10_000_000)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=None)
    parser.add_argument("--stored", action="store_true", help="put the people in by COPY, and leave the refresh out")
    options = parser.parse_args()
    wanted = options.parts if options.parts is not None else list(PARTS)
    verdicts = Verdicts()
    started = perf_counter()
    with tempfile.TemporaryDirectory() as name, stage(options.database, Path(name)) as made:
        if options.stored:
            stored.fill(made, options.people)
        else:
            refresh.measure(made, options.people, verdicts)
        for part, module in PARTS.items():
            if part in wanted and (options.database == "postgresql" or part in ON_SQLITE):
                module.measure(made, options.people, verdicts)
    print(f"\n{(perf_counter() - started) / 60:.0f} minutes in all.")
    print("\n".join(["Under the bar:", *verdicts.missed]) if verdicts.missed else "Every bar holds.")
    return 1 if verdicts.missed else 0


if __name__ == "__main__":
    sys.exit(main())
