"""What the types of vendors share: their keys, another address, and answers that come of several calls.

A call of ours may be several of theirs: who entered, then who left. What the first ones came to stands as verdicts, and
the refusal of a later one is of the changes that have none.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from destinations.contract import Answer, Change, Opened, Setting, Verdict
from destinations.transport import KEPT

KEY = r"[!-~]{4,1000}"  # what can stand in a header
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")  # no blanks, which sentences have

BASE_URL = Setting("base_url", "Address", "url", "Another address than the vendor's, such as a proxy of yours.")


def secret_of(opened: Opened, name: str, words: str) -> str:
    """Return the newest live secret of this name. Raises ValueError."""
    for secret in opened.secrets.get(name, ()):
        return secret
    raise ValueError(f"It has no {words}: give it again.")


def base_of(opened: Opened, vendors: str) -> str:
    """Return the address that calls begin with, without a slash at its end."""
    return str(opened.settings.get("base_url") or vendors).rstrip("/")


def basic(user: str, password: str) -> str:
    """Return what stands behind `Basic` in a header."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def alike(changes: Iterable[Change], verdict: Verdict) -> dict[int, Verdict]:
    """Return the same verdict for each change."""
    return {change.id: verdict for change in changes}


def cannot_erase(changes: Iterable[Change], told: str) -> dict[int, Verdict]:
    """Return the verdicts of those who are to be forgotten where the far end has no call for that."""
    return alike([change for change in changes if change.kind == "erased"], Verdict("rejected", "cannot_erase", told))


def entered_and_left(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Return those who have to be in a set, and those who have to be out of it."""
    entered = [change for change in changes if change.kind == "entered"]
    return entered, [change for change in changes if change.kind != "entered"]


def records_of(changes: Sequence[Change], ids: Mapping[int, str]) -> tuple[list[str], list[str]]:
    """Return which of a vendor's ids to add to a set and which to remove, each once. Two identities may be one record
    there: it stays as long as either is in."""
    entered, left = entered_and_left(changes)
    added = list(dict.fromkeys(ids[change.id] for change in entered))
    removed = dict.fromkeys(ids[change.id] for change in left)
    return added, [record for record in removed if record not in added]


def listed(value: Any) -> list[Any]:
    """Return what is in a list of an answer; nothing where it is no list."""
    return value if isinstance(value, list) else []


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list of an answer."""
    return [row for row in listed(value) if isinstance(row, dict)]


def within(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the object that lies in objects of these names; an empty one where it is not there."""
    for name in names:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value


def joined(*answers: Answer) -> Answer:
    """Return what several calls came to: all their verdicts, and the first refusal."""
    refused = next((answer for answer in answers if answer.refusal is not None), None)
    last = refused or (answers[-1] if answers else Answer())
    verdicts = {number: verdict for answer in answers for number, verdict in answer.verdicts.items()}
    text = "\n".join(answer.text for answer in answers if answer.text).encode()[:KEPT].decode("utf-8", "ignore")
    return Answer(verdicts, last.refusal, last.status, text)


def reason_of(code: Any, otherwise: str) -> str:
    """Return a vendor's own code as a reason; `otherwise` where it is none, because a sentence may name somebody."""
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return otherwise
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", code)
    return words.strip("_").lower()
