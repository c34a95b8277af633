"""What `flask doctor` says of one thing that it has looked at."""

from dataclasses import dataclass

from config.counts import counted


@dataclass(frozen=True)
class Check:
    """One line: `state` is ok, warn or fail; `next_step` is empty where there is nothing to do."""

    name: str
    state: str
    found: str
    next_step: str = ""


def ok(name: str, found: str) -> Check:
    return Check(name, "ok", found)


def warn(name: str, found: str, next_step: str) -> Check:
    return Check(name, "warn", found, next_step)


def fail(name: str, found: str, next_step: str) -> Check:
    return Check(name, "fail", found, next_step)


def many(number: int, thing: str) -> str:
    """Write `1 export`, `2 exports`."""
    return counted(number, thing)
