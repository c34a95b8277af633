"""A dry run: what an import would send, and what our checks would refuse, without sending anything."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from outbound.imports.batches import Record, RecordChecker, RefusedRecord
from outbound.operations.types import Problem
from outbound.readers.objects import ReadRecord

SHOWN = 20


@dataclass
class Report:
    """`good` and `bad` count records; the first of each are kept. `is_whole`: all of the source was read. `advised`
    counts records by the sort of advice, `advice` has the first of each sort."""

    good: int = 0
    bad: int = 0
    is_whole: bool = True
    problems: list[RefusedRecord] = field(default_factory=list)
    samples: list[Record] = field(default_factory=list)
    advised: Counter[str] = field(default_factory=Counter)
    advice: list[RefusedRecord] = field(default_factory=list)

    def advise(self, place: int, problems: list[Problem]) -> None:
        """Count what is advised against a record that can be sent."""
        for problem in {problem.sort: problem for problem in problems}.values():
            if not self.advised[problem.sort]:
                self.advice.append(RefusedRecord(place, problem.field, problem.message, ""))
            self.advised[problem.sort] += 1

    @property
    def read(self) -> int:
        return self.good + self.bad


def dry_run(found: Iterable[ReadRecord], checker: RecordChecker, most: int | None = None, samples: int = 3) -> Report:
    """Look at the records, at most `most` of them. Raises files.Unreadable."""
    report = Report()
    for read in found:
        if report.read == most:
            report.is_whole = False
            break
        ready = checker.ready(read)
        if isinstance(ready, RefusedRecord):
            report.bad += 1
            report.problems += [ready] if len(report.problems) < SHOWN else []
        else:
            report.good += 1
            report.advise(read.place, ready.advice)
            report.samples += [ready.record] if len(report.samples) < samples else []
    return report
