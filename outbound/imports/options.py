"""How an import is done: what refuses a record, and what every record gets."""

from dataclasses import dataclass
from typing import Any

from config.clock import HOUR, SECOND
from outbound.readers import times
from outbound.readers.times import MICROSECONDS, MILLISECONDS, NoTime

FURTHEST = 14  # hours between a project's time and UTC

Record = dict[str, Any]


class WrongOption(ValueError):
    """An option does not go with what is imported; says why."""


@dataclass(frozen=True)
class Options:
    """`strict` refuses what is only advised against. `ignore_time`, `keep_place` and `ignore_alias` are `$ignore_time`,
    `$ip: 0` and `$ignore_alias` of updates that do not say otherwise. `time_offset` are the hours by which the times
    of events are ahead of UTC: exports of projects from before 2023 are in the project's own time."""

    strict: bool = False
    ignore_time: bool = False
    keep_place: bool = False
    ignore_alias: bool = False
    time_offset: float = 0

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Options":
        """Those in the settings of an import."""
        return cls(**settings.get("options", {}))

    @property
    def given(self) -> dict[str, Any]:
        """Those that are not as they always are."""
        return {name: value for name, value in vars(self).items() if value}

    def check(self, kind: str) -> None:
        """Raises WrongOption where they do not go with a kind of import."""
        if self.time_offset and kind != "events":
            raise WrongOption("Only events have a time that an offset can put right.")
        if not -FURTHEST <= self.time_offset <= FURTHEST:
            raise WrongOption(f"The offset of a time is in hours, at most {FURTHEST}.")
        if kind != "people" and (self.ignore_time or self.keep_place or self.ignore_alias):
            raise WrongOption("Only updates of user profiles can have $ignore_time, $ip and $ignore_alias.")

    def applied(self, kind: str, record: Record) -> Record:
        """Return the record with what the options say of it, its time as Mixpanel takes it. Raises NoTime."""
        return self._event(record) if kind == "events" else self._update(kind, record)

    def _event(self, record: Record) -> Record:
        properties = record.get("properties")
        if not isinstance(properties, dict) or "time" not in properties:
            return record
        time = properties["time"]
        if type(time) is int and abs(time) < MICROSECONDS and not self.time_offset:
            return record
        if time is None or isinstance(time, bool | list | dict):
            return record  # no time in any form; what checks say of it counts
        return record | {"properties": properties | {"time": self._in_utc(times.moment(time))}}

    def _in_utc(self, moment: int) -> int:
        unit = SECOND if abs(moment) >= MILLISECONDS else 1
        return moment - round(self.time_offset * (HOUR // SECOND)) * unit

    def _update(self, kind: str, record: Record) -> Record:
        if isinstance(time := record.get("$time"), str):
            record = record | {"$time": times.seconds(time)}
        if kind != "people":
            return record
        says = {"$ignore_time": self.ignore_time, "$ignore_alias": self.ignore_alias}
        more: Record = {name: True for name, is_said in says.items() if is_said and name not in record}
        if self.keep_place and "$ip" not in record:
            more["$ip"] = 0
        return record | more if more else record


__all__ = ["NoTime", "Options", "WrongOption"]
