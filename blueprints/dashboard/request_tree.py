"""The body of a refused request as a tree. Values of members are masked unless somebody may see them. Pure."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from config.words import counted

MASK = "••••"
MOST_NODES = 400
MOST_ITEMS = 20  # of a list that are shown
LONGEST = 200  # characters of a value that is shown
MOST_TEXT = 4000  # characters of a body that is not JSON

# What names a cohort and its page, and nobody: shown to everybody.
OF_THE_PAGE = {
    "mixpanel_project_id",
    "mixpanel_cohort_id",
    "mixpanel_cohort_name",
    "mixpanel_cohort_description",
    "mixpanel_session_id",
    "total_pages",
    "page_count",
}
ROOM = {"parameters", "page_info"}
_KEY = re.compile(r"[A-Za-z_$][\w $-]{0,59}")
_SIGN = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Node:
    """A value in the tree: its `name` (empty in a list), what it says, its inner nodes, and how many more there are."""

    name: str
    says: str
    is_masked: bool = False
    inner: list["Node"] = field(default_factory=list)
    more: int = 0


class Tree:
    """Makes the nodes of one body; `shows` says that everything may be seen."""

    def __init__(self, *, shows: bool) -> None:
        self.shows = shows
        self.left = MOST_NODES

    def of(self, value: Any, name: str = "", path: tuple[str, ...] = ()) -> Node:
        self.left -= 1
        if isinstance(value, dict | list):
            return self._branch(value, name, path)
        if self.shows or self._is_open(name, path):
            return Node(name, _short(value))
        return Node(name, _kind(value), is_masked=True)

    def _branch(self, value: Any, name: str, path: tuple[str, ...]) -> Node:
        pairs = list(value.items()) if isinstance(value, dict) else [("", one) for one in value]
        inner = []
        for key, one in pairs[:MOST_ITEMS] if isinstance(value, list) else pairs:
            if self.left <= 0:
                break
            inner.append(self.of(one, self._name(key, name), (*path, name)))
        word = ("field", "fields") if isinstance(value, dict) else ("item", "items")
        return Node(name, f"{len(pairs):,} {word[len(pairs) != 1]}", inner=inner, more=len(pairs) - len(inner))

    def _is_open(self, name: str, path: tuple[str, ...]) -> bool:
        above = [one for one in path if one]
        return not (set(above) - ROOM) and (name in OF_THE_PAGE or (name == "action" and not above))

    def _name(self, key: str, within: str) -> str:
        """A name of a field; where members stand under their ids, those are values too."""
        is_id = within == "members" and bool(key) and not key.isdigit()
        return key[:LONGEST] if self.shows or (not is_id and (not key or _KEY.fullmatch(key))) else MASK


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= LONGEST else written[:LONGEST] + "…"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"text, {counted(len(value), 'character')}"
    return {bool: "true or false", type(None): "null"}.get(type(value), "number")


@dataclass(frozen=True)
class Shown:
    """A body as it is shown: a tree, or else its text, and why it is none."""

    tree: Node | None
    text: str = ""
    why: str = ""


def shown(body: bytes, *, reveals: bool) -> Shown:
    """Return the body for the page. Of what is not JSON the letters and digits are masked, so that its signs remain."""
    text = body.decode("utf-8", "replace")
    try:
        return Shown(Tree(shows=reveals).of(json.loads(text)))
    except json.JSONDecodeError as error:
        why = f"It is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
    except (ValueError, RecursionError):
        why = "It is not JSON that can be shown."
    return Shown(None, _cut(text if reveals else _SIGN.sub("•", text)), why)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"
