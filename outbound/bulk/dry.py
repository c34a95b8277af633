"""A dry run: what an import would send, and what our checks would refuse, without sending anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from outbound.bulk.batches import Record, Refused, Sorter
from outbound.bulk.files import Read

SHOWN = 20


@dataclass
class Report:
    """`good` and `bad` count records; the first of each are kept. `is_whole`: all of the source was read."""

    good: int = 0
    bad: int = 0
    is_whole: bool = True
    problems: list[Refused] = field(default_factory=list)
    samples: list[Record] = field(default_factory=list)

    @property
    def read(self) -> int:
        return self.good + self.bad


def dry_run(found: Iterable[Read], sorter: Sorter, most: int | None = None, samples: int = 3) -> Report:
    """Look at the records, at most `most` of them. Raises files.Unreadable."""
    report = Report()
    for read in found:
        if report.read == most:
            report.is_whole = False
            break
        one = sorter.ready(read)
        if isinstance(one, Refused):
            report.bad += 1
            report.problems += [one] if len(report.problems) < SHOWN else []
        else:
            report.good += 1
            report.samples += [one[0]] if len(report.samples) < samples else []
    return report
