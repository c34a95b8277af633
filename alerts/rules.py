"""When a message is sent: on change of state only, and rarely where a state flaps (F12). Pure: no clock, no database.

A subject is a cohort, a connection, a destination, the backups or a disk. What is told are five troubles (failing,
quiet, stalled, held, filling) and the way out of them (recovered). Receiving, late or not, settling and sweeping are
work, not news: they count as well. Off, one-time and never called are silent: nothing is sent on the way in, and what
was told before is forgotten.
"""

from dataclasses import dataclass, replace

from config.clock import MINUTE

TROUBLES = frozenset({"failing", "quiet", "stalled", "held", "filling"})
WELL = "well"
SILENT = "silent"
AT_WORK = frozenset({"in_step", "receiving", "late", "settling", "sweeping", WELL})

RECOVERED = "recovered"
CHANGING = "changing"

WINDOW = 60 * MINUTE  # in which changes of state are counted
CHANGES = 4  # so many within the window are told one by one
STEADY = 15 * MINUTE  # without a change until a flapping subject is told of again


@dataclass(frozen=True)
class Subject:
    """A cohort, a connection, a destination, the backups or a disk as it is now. `key` is `cohort 12`, say, `name`
    what a person calls it, `link_path` its page below the public address. `cause` and `what_to_do` are sentences
    without member data."""

    key: str
    name: str
    state: str
    cause: str
    what_to_do: str
    link_path: str


@dataclass(frozen=True)
class Remembered:
    """What is remembered of a subject: its state since when, and the state that was told last (empty: none).

    `turns` are the moments of its changes within the last hour; `damped` that nothing is told until it is steady.
    """

    state: str
    since: int
    told: str = ""
    told_at: int | None = None
    turns: tuple[int, ...] = ()
    damped: bool = False


@dataclass(frozen=True)
class Step:
    """What is to be remembered, and the kind of message to send: a trouble, `recovered`, `changing`, or none."""

    known: Remembered
    tell: str | None = None


def state_of(state: str) -> str:
    """Return the state as these rules see it: one of the troubles, well, or silent."""
    if state in TROUBLES:
        return state
    return WELL if state in AT_WORK else SILENT


def step(known: Remembered | None, state: str, now: int) -> Step:
    """Return what follows from seeing a subject in `state`; the same `known` and nothing to tell where nothing does."""
    state = state_of(state)
    if known is None:
        return _tell(Remembered(state, now), now)
    if state != known.state:
        return _turn(known, state, now)
    if known.damped and now - known.since >= STEADY:
        return _tell(replace(known, damped=False, turns=()), now)
    return Step(known)


def _turn(known: Remembered, state: str, now: int) -> Step:
    """Note a change of state, and tell it unless there were too many of them."""
    recent = tuple(at for at in known.turns if now - at < WINDOW)[-CHANGES:]
    turned = replace(known, state=state, since=now, turns=(*recent, now))
    if state == SILENT:
        return Step(Remembered(SILENT, now))
    if known.damped:
        return Step(turned)
    if len(turned.turns) > CHANGES:
        return Step(replace(turned, damped=True, told_at=now), CHANGING)
    return _tell(turned, now)


def _tell(known: Remembered, now: int) -> Step:
    """Tell the present state if it differs from what was told last; being well is news only after a trouble."""
    if known.state in {known.told, SILENT}:
        return Step(known)
    told = replace(known, told=known.state, told_at=now)
    if known.state == WELL:
        return Step(told, RECOVERED) if known.told in TROUBLES else Step(replace(known, told=WELL))
    return Step(told, known.state)
