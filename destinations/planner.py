"""From the change log to messages: a cursor for each subscription, and never in a page's transaction.

A step is one transaction under the destination's lock: the messages of some changes, who holds which identity, and the
cursor commit together, so that whatever is killed plans nothing twice and leaves nothing out. The lock also gives the
messages of a lane their numbers in the order of the log. A refresh that is held has written no changes, so that nothing
of it is planned.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from destinations import counting, destinations, guard, id_lists, ledger, subscriptions
from destinations.bodies import PERSON_TO_NAME
from destinations.identity import NoIdentity, lane
from destinations.ledger import Held, NewMessage, Source
from destinations.probing import probes
from destinations.subscriptions import Subscription
from destinations.suppression import erased
from models.statement import Statement
from runtime import Runtime

# Changes that one transaction plans. Lanes and identities lie anywhere in their indexes, so that twice as many changes
# write hardly more pages of them; pages of Mixpanel wait for one step at most (SQLite).
STEP = 2000

# The message of the entry that a row `x` begins or ends.
ENTRY = """e.subscription_id = :subscription AND e.person_id = {person} AND e.entry_number = x.entry_number
    AND e.kind = 'entered' AND e.generation = 0"""

# Nothing is looked up of those who enter, unless a backfill may have told of them before us: null is in no index.
_LEFT = "CASE WHEN x.entered THEN NULL ELSE x.person_id END"
_LEFT_OR_TOLD = "CASE WHEN x.entered AND :backfill = 0 THEN NULL ELSE x.person_id END"
_BEFORE = "CASE WHEN x.entered THEN NULL ELSE x.previous END"
_BEHIND = text("""
    SELECT s.id FROM subscription s JOIN cohort c ON c.id = s.cohort_id JOIN destination d ON d.id = s.destination_id
    WHERE s.status = 'active' AND (d.status = 'active' OR d.cause = 'failing') AND c.change_count > s.position
    ORDER BY s.id""")
# PostgreSQL is to cut the log before it joins; SQLite goes through it in order, and sorts what is cut before.
_LOG = {
    "postgresql": """(SELECT * FROM membership_change
        WHERE cohort_id = :cohort AND number > :position ORDER BY number LIMIT :limit) x {} ORDER BY x.number""",
    "sqlite": """membership_change x {}
        WHERE x.cohort_id = :cohort AND x.number > :position ORDER BY x.number LIMIT :limit""",
}
_CHANGES = {
    dialect: Statement(f"""
    SELECT x.number, x.person_id, x.entered, x.entry_number, x.session_id, x.at, x.previous,
        {PERSON_TO_NAME}, e.id, e.state, e.identity, h.identity, b.at, b.session_id
    FROM {_LOG[dialect].format(joined)}""")  # noqa: S608 - our own columns
    for dialect, joined in probes(
        ("p", "p.* FROM person p", "p.id = x.person_id", True),
        ("e", "e.* FROM message e", ENTRY.format(person=_LEFT_OR_TOLD), False),
        ("h", "h.* FROM holder h", f"h.subscription_id = :subscription AND h.person_id = {_LEFT}", False),
        ("b", "b.* FROM membership_change b", f"b.cohort_id = :cohort AND b.number = {_BEFORE}", False),
    ).items()
}
_MOVE = text("UPDATE subscription SET position = :position WHERE id = :id")
_OVERTAKE = id_lists.for_each_database(
    "ids",
    """
    UPDATE message SET state = 'coalesced', reason = 'left_while_parked', finished_at = :now, next_at = NULL
    WHERE state = 'parked' AND id IN {ids}""",
)


class Logged(NamedTuple):
    """A row of the change log, its person, and what was planned of the entry that it begins or ends: a message, and the
    identity under which a set has its person. A person's properties are read where the identity is one of them."""

    number: int
    person_id: int
    entered: bool
    entry_number: int
    session_id: int
    at: int
    previous: int
    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    properties: str | None
    erased_at: int | None
    entered_id: int | None
    entered_state: str | None
    entered_identity: str | None
    held_identity: str | None
    entered_at: int | None
    entered_session: int | None


Told = tuple[str, str | None, str | None]  # the state in which a message begins, its reason, and its identity


@dataclass
class Plan:
    """What a step is going to write. `entered` are the states of the entries that it has planned itself, by person and
    entry number; `held` whom it has seen come and go, None for gone."""

    subscription: Subscription
    now: int
    erased: set[str]
    messages: list[NewMessage] = field(default_factory=list)
    held: dict[int, tuple[str, int] | None] = field(default_factory=dict)
    entered: dict[tuple[int, int], tuple[str, str | None, int]] = field(default_factory=dict)
    overtaken: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rule = self.subscription.rule()
        self.is_level = self.subscription.kind.family == "level"

    def add(self, row: Any, kind: str, told: Told, source: Source) -> None:
        """Plan a message, unless the subscription is not for its kind."""
        if self.subscription.kinds not in {"both", kind}:
            return
        state, reason, identity = told
        waits = state == "waiting"
        self.messages.append(
            NewMessage(
                self.subscription.destination_id,
                self.subscription.id,
                row.person_id,
                row.entry_number,
                kind,
                source.generation,
                state,
                reason,
                identity,
                None if identity is None else lane(identity),
                source.priority,
                source.origin,
                source.session_id,
                source.at,
                source.position,
                self.now if waits else None,
                self.now,
                None if waits or state == "parked" else self.now,
            )
        )

    def enter(self, row: Any, source: Source) -> None:
        """Plan that somebody has entered, and hold their identity."""
        state, reason, found = "waiting", None, None
        if row.distinct_id in self.erased or row.erased_at is not None:
            state, reason = "suppressed", "erased"
        else:
            try:
                found = self.rule.of_row(row)
            except NoIdentity as error:
                state, reason = error.state, error.reason
        if self.is_level and found is not None:
            self.held[row.person_id] = (found, row.entry_number)
        self.add(row, "entered", (state, reason, found), source)
        self.entered[row.person_id, row.entry_number] = (state, found, len(self.messages) - 1)


def behind(db: Connection) -> list[int]:
    """Return the ids of the subscriptions whose cohort has changes that are not planned yet."""
    return list(db.execute(_BEHIND).scalars())


def plan(runtime: Runtime, subscription_id: int) -> int:
    """Plan the next changes of a subscription; return how many. Raises DatabaseUnavailable."""
    now = runtime.clock()
    return runtime.database.write(lambda db: _step(db, runtime, subscription_id, now))


def locked(db: Connection, subscription_id: int) -> Subscription | None:
    """Return a subscription whose destination is locked for this transaction; None where nothing may be planned."""
    known = subscriptions.by_id(db, subscription_id)
    if known is None or destinations.locked(db, known.destination_id) is None:
        return None
    known = subscriptions.by_id(db, subscription_id)  # as it is now that nobody else plans
    return known if known is not None and known.may_plan else None


def write(db: Connection, plan: Plan) -> None:
    """Write a plan's messages, holders and counts."""
    guard.hold(db, plan.subscription, plan.messages, plan.now)
    ledger.insert_messages(db, plan.messages)
    if plan.is_level:
        gone = [person for person, held in plan.held.items() if held is None]
        ledger.let_go(db, plan.subscription.id, gone)
        ledger.hold(db, [Held(plan.subscription.id, person, *held) for person, held in plan.held.items() if held])
    counts = Counter(message.state for message in plan.messages)
    if plan.overtaken:
        found = _overtake(db, plan.overtaken, plan.now)
        counts.update({"parked": -found, "coalesced": found})
    counting.move(db, plan.subscription.id, counts)


def _step(db: Connection, runtime: Runtime, subscription_id: int, now: int) -> int:
    known = locked(db, subscription_id)
    if known is None or not known.behind:
        return 0
    values = {"cohort": known.cohort, "position": known.position, "subscription": known.id, "limit": STEP}
    values |= {"backfill": int(known.backfill_total is not None), "properties": int(known.rule().is_property)}
    rows = [Logged._make(row) for row in _CHANGES[db.dialect.name].all(db, values)]
    plan = Plan(known, now, erased(db, runtime.cipher, known.project_id, [row.distinct_id for row in rows]))
    for row in rows:
        if row.entered:
            _entered(plan, row)
        else:
            _left(plan, row)
    write(db, plan)
    # Where rows of the log are past their retention, the cursor goes on over the gap.
    last = rows[-1].number if len(rows) == STEP else known.position + known.behind
    db.execute(_MOVE, {"id": known.id, "position": last})
    return len(rows) or known.behind


def _entered(plan: Plan, row: Logged) -> None:
    if row.entered_id is None:  # the backfill may have been here
        plan.enter(row, Source(row.at, row.session_id, row.number))


def _left(plan: Plan, row: Logged) -> None:
    if _was_there_at_the_start(plan.subscription, row) and not plan.is_level:
        at = row.entered_at if row.entered_at is not None else row.at
        plan.enter(row, Source(at, row.entered_session or 0, origin="backfill"))
    source = Source(row.at, row.session_id, row.number)
    state, identity = _entry(plan, row)
    if row.distinct_id in plan.erased or row.erased_at is not None:
        plan.held[row.person_id] = None
        plan.add(row, "left", ("suppressed", "erased", None), source)
    elif state == "parked":
        plan.add(row, "left", ("coalesced", "left_while_parked", None), source)
    elif plan.is_level:
        _left_the_set(plan, row, source)
    else:
        _told(plan, row, identity, source)


def _entry(plan: Plan, row: Logged) -> tuple[str | None, str | None]:
    """Return the state and identity of the entry that ends, and note it where it was parked."""
    mine = plan.entered.get((row.person_id, row.entry_number))
    if mine is None:
        if row.entered_state == "parked" and row.entered_id is not None:
            plan.overtaken.append(row.entered_id)
        return row.entered_state, row.entered_identity
    state, identity, place = mine
    if state == "parked" and plan.subscription.kinds != "left":
        parked = plan.messages[place]
        plan.messages[place] = parked._replace(state="coalesced", reason="left_while_parked", finished_at=plan.now)
    return state, identity


def _left_the_set(plan: Plan, row: Logged, source: Source) -> None:
    held = plan.held.get(row.person_id, (row.held_identity, 0))
    plan.held[row.person_id] = None
    if held is None or held[0] is None:
        plan.add(row, "left", ("coalesced", "never_there", None), source)
    else:
        plan.add(row, "left", ("waiting", None, held[0]), source)


def _told(plan: Plan, row: Logged, identity: str | None, source: Source) -> None:
    """Tell that somebody has left, under the identity of whom the entry told."""
    try:
        plan.add(row, "left", ("waiting", None, identity or plan.rule.of_row(row)), source)
    except NoIdentity as error:
        plan.add(row, "left", (error.state, error.reason, None), source)


def _was_there_at_the_start(known: Subscription, row: Logged) -> bool:
    """Tell whether the backfill owes an entry to somebody who was in when the subscription began, and left before the
    backfill came to them."""
    under_way = known.backfill_total is not None and (known.backfill_end is None or row.number <= known.backfill_end)
    return under_way and row.previous <= known.start_position and row.entered_id is None


def _overtake(db: Connection, ids: list[int], now: int) -> int:
    return db.execute(_OVERTAKE[db.dialect.name], {"ids": str(ids), "now": now}).rowcount
