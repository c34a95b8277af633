"""The numbers that the operator may set for receiving."""

from dataclasses import dataclass
from typing import Protocol


class _Settings(Protocol):
    settle_seconds: int
    stalled_seconds: int
    sweep_inline_members: int
    removal_guard_percent: int
    removal_guard_min_members: int
    claim_seconds: int
    sweep_step_members: int


@dataclass(frozen=True)
class Rules:
    """`settle` and `stalled` in milliseconds (S8, S13); `sweep_inline` in members (S5). A worker's `claim` is in
    milliseconds, and a `step` of its sweeps in ids.

    A refresh that would remove more than `guard_percent` of at least `guard_min_members` members is held; 0 is off.
    """

    settle: int = 120_000
    stalled: int = 900_000
    sweep_inline: int = 250_000
    guard_percent: int = 50
    guard_min_members: int = 100
    claim: int = 60_000
    step: int = 50_000

    @classmethod
    def of(cls, settings: _Settings) -> "Rules":
        return cls(
            settings.settle_seconds * 1000,
            settings.stalled_seconds * 1000,
            settings.sweep_inline_members,
            settings.removal_guard_percent,
            settings.removal_guard_min_members,
            settings.claim_seconds * 1000,
            settings.sweep_step_members,
        )
