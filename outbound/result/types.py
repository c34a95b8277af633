"""What a judgement of a call is: the verdict, what was accepted, what was not, and plain words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Verdict = Literal["accepted", "partly", "rejected", "uncertain", "failed"]
MAY_BE = "It may have been stored"


@dataclass(frozen=True)
class FailedRecord:
    """A record that Mixpanel did not take; `index` counts from 0 in what was given."""

    index: int
    insert_id: str | None
    field: str | None
    message: str


@dataclass(frozen=True)
class Judgement:
    """`accepted` counts records, 0 where the call has none; `words` is a plain sentence or two. `may_be_stored` says
    that nobody knows whether something was."""

    verdict: Verdict
    accepted: int
    failed_records: tuple[FailedRecord, ...]
    words: str
    may_be_stored: bool = False


def unknown(words: str, *, repeatable: bool, reads: bool = False) -> Judgement:
    """Nobody knows whether it was stored: `words` says what happened. What only `reads` stores nothing."""
    if reads:
        return unsent(f"{words} Asking again is safe.")
    if repeatable:
        return Judgement("failed", 0, (), f"{words} {MAY_BE}; sending it again is safe.", may_be_stored=True)
    return Judgement("uncertain", 0, (), f"{words} {MAY_BE}; sending it again may count it twice.", may_be_stored=True)


def unsent(words: str) -> Judgement:
    """Return the judgement of a call of which nothing has left."""
    return Judgement("failed", 0, (), words)


def combined(parts: Sequence[tuple[int, int, Judgement]], *, repeatable: bool) -> Judgement:
    """Return one judgement of a batch that was sent in parts: each with its first index and its number of records."""
    if len(parts) == 1:
        return parts[0][2]
    failed = tuple(one for first, count, part in parts for one in _moved(part, first, count))
    accepted = sum(part.accepted for _, _, part in parts)
    total = sum(count for _, count, _ in parts)
    words = list(dict.fromkeys(part.words for _, _, part in parts if part.verdict != "accepted"))
    sentence = f"The batch was too large for Mixpanel and went in {len(parts)} parts. {accepted:,} of {total:,} stored."
    verdict = _worst({part.verdict for _, _, part in parts}, accepted, repeatable=repeatable)
    may_be = any(part.may_be_stored for _, _, part in parts)
    return Judgement(verdict, accepted, failed, " ".join([sentence, *words]), may_be)


def _worst(verdicts: set[Verdict], accepted: int, *, repeatable: bool) -> Verdict:
    """Return the worst verdict of the parts: where one could not be confirmed the whole is not, and may be sent again
    if that is safe."""
    if len(verdicts) == 1:
        return verdicts.pop()
    if "uncertain" in verdicts:
        return "uncertain"
    if "failed" in verdicts and repeatable:
        return "failed"
    if accepted:
        return "partly"
    return "failed" if "failed" in verdicts else "rejected"


def _moved(part: Judgement, first: int, count: int) -> list[FailedRecord]:
    """Return its failed records at their places in the whole; each record of a part that failed as a whole."""
    if not part.failed_records and part.verdict != "accepted":
        return [FailedRecord(first + index, None, None, part.words) for index in range(count)]
    return [replace(record, index=record.index + first) for record in part.failed_records]
