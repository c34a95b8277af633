"""What every record of an import goes through: properties that are renamed or dropped, and tags that each one gets."""

from dataclasses import dataclass, field
from typing import Any

from outbound.imports.columns import TARGETS
from outbound.readers import cells
from outbound.request.checks.profiles import OBJECTS

MOST = 200  # names that are renamed, or dropped, or tags
LONGEST_NAME = 255  # characters; Mixpanel cuts longer ones
LONGEST_TAG = 2000
TAGGED = ("$set", "$set_once")  # operators whose properties a tag can stand among

Record = dict[str, Any]


class WrongChange(ValueError):
    """A change cannot be made to any record of its kind; says why."""


class CannotChange(ValueError):
    """This record cannot be changed so; says why."""


@dataclass(frozen=True)
class Changes:
    """`rename`: name of a property to its new one; `drop`: those that are left out; `tag`: name to value, as it was
    typed, of what every record gets. A value that stood under the name of a tag is replaced by it."""

    rename: dict[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    tag: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Changes":
        """Those in the settings of an import."""
        given = settings.get("changes", {})
        return cls(given.get("rename", {}), tuple(given.get("drop", ())), given.get("tag", {}))

    @property
    def given(self) -> dict[str, Any]:
        """Those that there are, as the settings of an import keep them."""
        every = {"rename": self.rename, "drop": list(self.drop), "tag": self.tag}
        return {name: value for name, value in every.items() if value}

    def check(self, kind: str, columns: frozenset[str] = frozenset()) -> None:
        """`columns` are the names of the properties that a table has. Raises WrongChange."""
        if max(len(self.rename), len(self.drop), len(self.tag)) > MOST:
            raise WrongChange(f"At most {MOST} properties can be renamed, dropped or added as tags.")
        for name in (*self.rename.values(), *self.tag):
            if not name.strip() or len(name) > LONGEST_NAME:
                raise WrongChange(f"The name of a property has 1 to {LONGEST_NAME} characters.")
        self._check_renames()
        self._check_tags(kind, columns)

    def _check_renames(self) -> None:
        seen: set[str] = set()
        for name, new in self.rename.items():
            if name in self.drop:
                raise WrongChange(f"{name} is both renamed and dropped.")
            if new in seen:
                raise WrongChange(f"Two properties would be called {new}, and one of their values would be lost.")
            seen.add(new)

    def _check_tags(self, kind: str, columns: frozenset[str]) -> None:
        for name, value in self.tag.items():
            if name in TARGETS[kind] or name in {"token", "$token"}:
                raise WrongChange(f"A tag cannot be {name}: each record has its own.")
            if name in columns:
                raise WrongChange(f"The tag {name} would replace the column of this name. Call it otherwise.")
            if not value.strip() or len(value) > LONGEST_TAG:
                raise WrongChange(f"The value of the tag {name} has 1 to {LONGEST_TAG:,} characters.")

    def applied(self, kind: str, record: Record) -> Record:
        """Return the record with the changes. Raises CannotChange where a value would be lost."""
        if not (self.rename or self.drop or self.tag):
            return record
        return self._event(record) if kind == "events" else self._update(record)

    def _event(self, record: Record) -> Record:
        properties = record.get("properties")
        if not isinstance(properties, dict):
            return record
        return record | {"properties": self._renamed(properties) | self._tags()}

    def _update(self, record: Record) -> Record:
        found: Record = {name: self._renamed(record[name]) for name in OBJECTS if isinstance(record.get(name), dict)}
        if isinstance(names := record.get("$unset"), list):
            found["$unset"] = [self._name(name) for name in names if name not in self.drop]
        if self.tag:
            tagged = next((name for name in TAGGED if name in found), None)
            if tagged is None:
                raise CannotChange("A tag can only be added to an update with $set or $set_once.")
            found[tagged] = found[tagged] | self._tags()
        return record | found

    def _renamed(self, values: Record) -> Record:
        found: Record = {}
        for name, value in values.items():
            if name in self.drop:
                continue
            new = self._name(name)
            if new in found:
                raise CannotChange(f"Two of its properties would be called {new}, and one value would be lost.")
            found[new] = value
        return found

    def _name(self, name: Any) -> Any:
        return self.rename.get(name, name) if isinstance(name, str) else name

    def _tags(self) -> Record:
        return {name: cells.value(value.strip()) for name, value in self.tag.items()}
