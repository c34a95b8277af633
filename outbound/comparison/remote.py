"""Mixpanel's side of a comparison: its answers, believed only in the shape that they should have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from outbound.comparison.id_sort import line
from outbound.result import response

PAGE = 1000  # profiles (mixpanel-facts 3.9)
ROUND_AND_ROUND = (
    "Mixpanel's next page brought nobody who had not been there before, so its pages go round in circles. "
    "Nothing was compared; try again later."
)


class Failed(Exception):
    """It cannot be made; says why, for people."""


@dataclass(frozen=True)
class Cohort:
    """One of Mixpanel's cohorts."""

    name: str
    count: int


@dataclass(frozen=True)
class ProfilePage:
    """A page of profiles; `total` is None where it does not say how many there are."""

    identifiers: list[str]
    session_id: str
    total: int | None
    is_last: bool


def cohorts(answer: Any) -> "CohortList":
    """Return all of them. Raises Failed where the answer is no list of cohorts."""
    if not isinstance(answer, list) or not all(isinstance(item, dict) and _text(item.get("id")) for item in answer):
        raise Failed("Mixpanel's answer is no list of cohorts, so nothing was compared. Try again later.")
    return CohortList({_text(item["id"]): item for item in answer})


class CohortList:
    """Cohorts by their id."""

    def __init__(self, found: dict[str, dict[str, Any]]) -> None:
        self._found = found

    def get(self, cohort_id: str) -> Cohort | None:
        """Raises Failed where its count cannot be read: a guess would be told as a fact."""
        cohort = self._found.get(cohort_id)
        if cohort is None:
            return None
        count = response.whole(cohort.get("count"))
        if count is None or count < 0:
            raise Failed("Mixpanel lists the cohort without a count that can be read, so nothing was compared.")
        return Cohort(str(cohort.get("name") or ""), count)


def page(answer: Any, asked: int) -> ProfilePage:
    """Return the page number `asked`. Raises Failed where the answer is no page of profiles."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise Failed("Mixpanel's answer is no page of profiles, so nothing was compared. Try again later.")
    identifiers = [_text(result.get("$distinct_id")) for result in results]
    if not all(identifiers):
        raise Failed("Mixpanel's page holds a profile without an id, so nothing was compared. Try again later.")
    number = response.whole(answer.get("page"))
    if number is not None and number != asked:
        raise Failed(f"Mixpanel answered page {number} where {asked} was asked for, so nothing was compared.")
    size = response.whole(answer.get("page_size"))
    is_last = len(results) < (size if size and size > 0 else PAGE)
    session_id = _text(answer.get("session_id"))
    if not is_last and not session_id:
        raise Failed("Mixpanel's page does not say how to ask for the next one, so nothing was compared.")
    return ProfilePage(identifiers, session_id, response.whole(answer.get("total")), is_last)


def brings_somebody(identifiers: list[str], before: Iterable[str]) -> bool:
    """Tell whether one of the ids is in none of the pages before."""
    new = set(map(line, identifiers))
    for identifier in before:
        new.discard(identifier)
        if not new:
            return False
    return True


def _text(value: Any) -> str:
    """Return an id as a text; empty where it can be none."""
    if isinstance(value, str):
        return value
    found = response.whole(value)
    return "" if found is None else str(found)
