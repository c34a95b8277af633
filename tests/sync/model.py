"""What the sync rules say in plain Python, without a database. Written from the rules, not from the engine."""

from dataclasses import dataclass, field
from typing import Any

Body = tuple[frozenset[str], int, int | None, int | None]  # people, rejected members, page number, total pages


@dataclass
class Session:
    """One export, numbered by first arrival (S9)."""

    number: int
    identity: tuple[str, str | None]  # action, session id
    pages: dict[Any, Body] = field(default_factory=dict)  # the latest version of each (S7, S8)
    named: set[str] = field(default_factory=set)  # by any version of any page
    last_page_at: int = 0
    total: int | None = None
    unclear: bool = False
    status: str = "receiving"
    settles_at: int = 0
    heard_out: bool = False  # a refresh that once had all its pages
    late: bool = False  # a page came that changed nothing, because newer sessions had spoken
    replayed: int = 0
    judged: bool = False  # the removal guard has looked at a sweep that takes steps
    held: bool = False  # and this is how it has ended, as far as nobody has decided
    doubt: str | None = None  # why it could not be read well enough to say who leaves (S4)
    decision: str | None = None

    @property
    def action(self) -> str:
        return self.identity[0]

    @property
    def export(self) -> list[Body]:
        """The pages that belong to the export: none past the total that it last named (S8)."""
        return [page for page in self.pages.values() if self.total is None or (page[2] or 0) <= self.total]

    @property
    def latest(self) -> set[str]:
        """Whom a refresh names."""
        return set().union(*(page[0] for page in self.export))

    @property
    def unreadable(self) -> str | None:
        """S4: whether nobody, or less than half of those whom its pages sent, could be read."""
        rejected = sum(page[1] for page in self.export)
        sent = rejected + sum(len(page[0]) for page in self.export)
        if rejected and rejected == sent:
            return "none_readable"
        return "half_unreadable" if 2 * rejected > sent else None

    @property
    def is_whole(self) -> bool:
        return self.total is None or len(self.export) >= self.total


@dataclass
class Cohort:
    """A cohort as the rules want it."""

    settle: int
    inline: int  # cohorts up to this size are swept at once (S5)
    percent: int = 0  # of the old members may leave by one refresh; 0 lets all leave
    least: int = 0  # old members from which that counts
    sessions: list[Session] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    entries: dict[str, int] = field(default_factory=dict)
    word: dict[str, int] = field(default_factory=dict)  # the newest session that changed or spoke of a person (S9)
    log: list[tuple[int, str, str, int, int]] = field(default_factory=list)  # at, kind, person, entry, session (S11)
    now: int = 0

    def receive(self, action: str, session_id: str | None, body: Body, now: int) -> None:
        """One page."""
        self.now = now
        session = self._session(action, session_id)
        people, _rejected, number, total = body
        page = number or body
        session.last_page_at = now
        if session.pages.get(page) == body:
            return self._replay(session)
        if page in session.pages or number is None or session_id is None or session.total not in {None, total}:
            session.unclear = True
        session.total = total or session.total
        session.pages[page] = body
        session.named |= people
        if self._is_overtaken(session):
            session.late = True
            session.status = session.status if session.status == "complete" else "superseded"
            return None
        for person in sorted(people):
            self._apply(session, person)
        return self._conclude(session)

    def work(self, now: int, stalled: int) -> None:
        """What happens without a call."""
        self.now = now
        for session in self.sessions:
            if session.status == "receiving" and session.last_page_at < now - stalled:
                session.status = "stalled"
            if session.status == "sweeping" or (session.status == "settling" and session.settles_at <= now):
                self._end(session)

    def decide(self, session: Session, approved: bool, now: int) -> bool:
        """What the operator says to a refresh; whether it was held, and may be decided so."""
        self.now = now
        if session.status != "held" or (approved and session.doubt == "none_readable"):
            return False
        session.held = False
        session.decision = "approved" if approved else "rejected"
        if not approved:
            session.status = "superseded"
        elif len(self.members) > self.inline:
            session.status, session.heard_out = "sweeping", True
        else:
            self._sweep(session)
        return True

    def may_leave(self, session: Session) -> set[str]:
        """Who leaves if the operator approves: nobody by a refresh of which nobody could be read (S4)."""
        return set() if session.doubt == "none_readable" else self.leavers(session)

    def leavers(self, session: Session) -> set[str]:
        """Who is not named by the refresh, and of whom no newer session has spoken (S5, S9)."""
        return {person for person in self.members - session.latest if self.word[person] <= session.number}

    def counts(self, session: Session) -> dict[str, int]:
        """S14: entered and left as in the log, the rest as sets; only for whoever was heard out."""
        mine = [(kind, person) for _at, kind, person, _entry, number in self.log if number == session.number]
        refresh = session.action == "members"
        named = session.latest if refresh else session.named
        changed = {person for kind, person in mine if kind == "entered" or not refresh}
        rejected = sum(page[1] for page in session.pages.values())
        return {
            "received": len(named) + rejected,
            "entered": sum(kind == "entered" for kind, _person in mine),
            "left_count": sum(kind == "left" for kind, _person in mine),
            "unchanged": len(named - changed),
            "rejected": rejected,
            "replayed": session.replayed,
        }

    def _session(self, action: str, session_id: str | None) -> Session:
        for session in reversed(self.sessions):
            if session.identity == (action, session_id) and (session_id or self._is_close(session)):
                return session
        session = Session(len(self.sessions) + 1, (action, session_id))
        if action == "members":  # supersedes every unfinished older refresh (S9)
            for older in self.sessions:
                if older.action == "members" and older.status != "complete":
                    older.status = "superseded"
        self.sessions.append(session)
        return session

    def _is_close(self, session: Session) -> bool:
        """S8: calls without a session id form one session when close together; diffs also must follow directly."""
        follows = session.action == "members" or session is self.sessions[-1]
        return follows and session.status != "superseded" and session.last_page_at > self.now - self.settle

    def _replay(self, session: Session) -> None:
        session.replayed += 1
        session.settles_at = self.now + self.settle
        session.status = "receiving" if session.status == "stalled" else session.status

    def _is_overtaken(self, session: Session) -> bool:
        newer = [one for one in self.sessions[session.number :] if one.action == "members"]
        if session.action == "members":
            return bool(newer) or session.decision == "rejected"
        return any(one.heard_out for one in newer)

    def _spared(self, session: Session) -> set[str]:
        """Whom the newest refresh has named, where it began after this diff and nobody has rejected it."""
        newer = [one for one in self.sessions[session.number :] if one.action == "members"]
        return newer[-1].latest if newer and newer[-1].decision != "rejected" else set()

    def _apply(self, session: Session, person: str) -> None:
        if self.word.get(person, 0) > session.number:
            return
        if session.action == "remove_members":
            if person in self._spared(session):
                return
            if person in self.members:
                self._change("left", person, session)
        elif person not in self.members:
            self._change("entered", person, session)
        if session.action != "members":
            self.word[person] = session.number

    def _change(self, kind: str, person: str, session: Session) -> None:
        self.members ^= {person}
        self.entries[person] = self.entries.get(person, 0) + (kind == "entered")
        self.word[person] = session.number
        self.log.append((self.now, kind, person, self.entries[person], session.number))

    def _conclude(self, session: Session) -> None:
        session.status, session.judged, session.held, session.decision = "receiving", False, False, None
        session.doubt = None
        if not session.is_whole:
            return
        if session.action != "members":
            session.status = "complete"
        elif session.unclear:
            session.status, session.settles_at = "settling", self.now + self.settle
        elif len(self.members) > self.inline:
            session.status, session.judged = "sweeping", not self._is_watched(session)
            session.heard_out = session.heard_out or session.judged
        else:
            self._end(session)

    def _end(self, session: Session) -> None:
        """All pages are here: the refresh is held, or it is complete."""
        doubt = session.unreadable
        if session.decision != "approved" and not session.judged and (doubt or self._is_over(session)):
            earlier = [one for one in self.sessions[: session.number - 1] if one.action == "members"]
            if doubt or not earlier or not earlier[-1].held or earlier[-1].doubt:
                session.status, session.held, session.doubt = "held", True, doubt
                return
            session.decision = "agreed"
        self._sweep(session)

    def _is_watched(self, session: Session) -> bool:
        return (self.percent > 0 and len(self.members) >= self.least) or any(page[1] for page in session.pages.values())

    def _is_over(self, session: Session) -> bool:
        """Whether too many of the old members would leave: those who have entered by this refresh to stay are none."""
        entered = {who for _at, kind, who, _entry, by in self.log if (kind, by) == ("entered", session.number)}
        old = self.members - (entered & session.latest)
        over = 100 * len(self.leavers(session)) > self.percent * len(old)
        return self.percent > 0 and len(old) >= self.least and over

    def _sweep(self, session: Session) -> None:
        for person in sorted(self.leavers(session)):
            self._change("left", person, session)
        session.status, session.heard_out = "complete", True
