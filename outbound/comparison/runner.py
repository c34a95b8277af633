"""Working on a comparison: fetch what Mixpanel has, within the budget of queries, and compare it with ours.

A page of ids is noted together with the place to go on from, so that a worker that dies, or a budget that is spent,
costs at most one query.
"""

import secrets
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.clock import SECOND
from models.claims import Claim
from models.database import DatabaseUnavailable
from models.encryption import DecryptionError
from outbound import projects, send
from outbound.comparison import jobs, local, remote, uploads
from outbound.comparison.causes import Findings, explained
from outbound.comparison.id_sort import Difference, IdFile, SortedIds, difference, line
from outbound.comparison.jobs import Comparison, Summary
from outbound.comparison.local import Facts
from outbound.comparison.remote import Failed
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.readers.errors import UnreadableFile
from outbound.transport.attempts import Outcome
from outbound.transport.retry import asked_pause
from runtime import Runtime

MOST_PAGES = 11_000  # of 1,000 ids (mixpanel-facts 3.9); a cohort that is exported has 10 million people at most
WAIT = 30 * SECOND  # where all five queries run at once
ASKED_ABOUT = 2000  # ids of each side that are looked up for causes


@dataclass
class PutOff(Exception):
    """The budget is spent; `until` is when it frees."""

    until: int
    words: str


def work_once(runtime: Runtime) -> bool:
    """Work on one comparison that waits; whether there was one."""
    now = runtime.clock()
    found = runtime.database.read(lambda db: jobs.due(db, now), one_statement=True)
    if found is None:
        return False
    known = runtime.database.write(lambda db: jobs.claim(db, found, now))
    if known is not None:
        _Work(runtime, known, Claim(known.id, known.claimed_until or 0)).run()
    return known is not None


def discard(runtime: Runtime, known: Comparison) -> None:
    """Remove the files of a comparison that will not go on."""
    if "file" in known.summary:
        Path(known.summary["file"]).unlink(missing_ok=True)
    if "name_of_file" in known.summary:
        _id_file(runtime, known.summary["name_of_file"]).remove()


def _id_file(runtime: Runtime, name: str) -> IdFile:
    return IdFile(runtime.settings.instance / "comparisons" / name)


class _Work:
    def __init__(self, runtime: Runtime, known: Comparison, claim: Claim) -> None:
        self.runtime, self.known, self.claim = runtime, known, claim
        self.summary: Summary = dict(known.summary)

    def run(self) -> None:
        runtime = self.runtime
        try:
            facts = self._facts()
            self.summary.setdefault("started_at", runtime.clock())
            self.summary.setdefault("changes", facts.change_count)
            found = {"count": self._count, "ids": self._ids, "csv": self._csv}[self.known.way](facts)
        except PutOff as later:
            self.summary["message"], until = later.words, later.until
            self._write(lambda db: jobs.put_off(db, self.claim, self.summary, until))
            return
        except (Failed, UnreadableFile) as error:
            self._fail(str(error))
            return
        except DecryptionError:
            self._fail(SEALED)
            return
        except DatabaseUnavailable:
            raise  # whoever comes next goes on with it
        except Exception:
            self._fail("Our process failed. The log says how.")
            raise
        if found is None:
            self._give_up()
            return
        self._end("done", self._told(facts, found), found)

    def _fail(self, words: str) -> None:
        self._end("failed", self.summary | {"message": words}, Difference())
        if "name_of_file" in self.summary:
            self._id_file().remove()

    def _facts(self) -> Facts:
        facts = self.runtime.database.read(lambda db: local.facts(db, self.known.cohort_id))
        if facts is None:
            raise Failed("There is no such cohort any more.")
        return facts

    def _told(self, facts: Facts, found: Difference) -> Summary:
        """Return what the report says: numbers, likely causes, next steps."""
        runtime, summary = self.runtime, {k: v for k, v in self.summary.items() if k not in _ON_THE_WAY}
        numbers = {"here": found.here, "there": found.there}
        if self.known.way != "count":
            numbers |= {"equal": found.equal, "missing": found.missing, "extra": found.extra}
        now = self._facts()
        since = summary["started_at"]
        missing = local.known(runtime.database, facts, found.missing_ids[:ASKED_ABOUT], since)
        extra = local.known(runtime.database, facts, found.extra_ids[:ASKED_ABOUT], since)
        moved = now.change_count - summary["changes"]
        causes, steps = explained(Findings(self.known.way, now, found, missing, extra, moved, runtime.clock()))
        return summary | numbers | {"read_at": runtime.clock(), "causes": causes, "steps": steps}

    # --- the three ways

    def _count(self, facts: Facts) -> Difference:
        listed = remote.cohorts(self._asked("cohorts-list", {}))
        own = listed.get(facts.mixpanel_cohort_id)
        if own is None:
            raise Failed(
                f"Mixpanel lists no cohort {facts.mixpanel_cohort_id}: it was deleted, or is another project's."
            )
        self.summary["name"], there = own.name, own.count
        return Difference(here=facts.member_count, there=there)

    def _ids(self, facts: Facts) -> Difference | None:
        fetched = self._id_file()
        begun = fetched.truncate(self.summary.get("size", 0))
        if not begun or "session_id" not in self.summary:
            self.summary |= {"page": 0, "pages": 0, "ids": 0, "size": 0}
            self.summary.pop("session_id", None)
            fetched.truncate(0)
        while True:
            found = self._page(facts)
            if not self._renew():  # before the file is touched, which another worker may write by now
                return None
            if found.identifiers and not remote.brings_somebody(found.identifiers, fetched.lines()):
                raise Failed(remote.ROUND_AND_ROUND)
            self.summary |= {
                "session_id": found.session_id,
                "expected": found.total,
                "page": self.summary["page"] + 1,
                "pages": self.summary["pages"] + 1,
                "ids": self.summary["ids"] + len(found.identifiers),
                "size": fetched.add(found.identifiers),
            }
            if found.is_last:
                break
            if self.summary["pages"] >= MOST_PAGES:
                raise Failed(f"Mixpanel has answered {MOST_PAGES:,} pages and goes on: no cohort has so many people.")
            if not self._renew():
                return None
        compared = self._compared(facts, fetched.lines())
        fetched.remove()
        return compared

    def _csv(self, facts: Facts) -> Difference:
        path = Path(self.summary["file"])
        try:
            return self._compared(facts, map(line, uploads.ids(path, self.summary.get("column", ""))))
        except OSError:
            raise Failed("The uploaded file is not here any more. Upload it again.") from None
        finally:
            path.unlink(missing_ok=True)

    def _compared(self, facts: Facts, theirs: Iterable[str]) -> Difference:
        with ExitStack() as stack:
            members, fetched = stack.enter_context(SortedIds()), stack.enter_context(SortedIds())
            fetched.add(theirs)
            members.add(map(line, local.members(self.runtime.database, facts.id)))
            return difference(members, fetched)

    # --- asking Mixpanel

    def _page(self, facts: Facts) -> "remote.ProfilePage":
        params: dict[str, Any] = {
            "filter_by_cohort": {"id": int(facts.mixpanel_cohort_id)},
            "include_all_users": True,
            "output_properties": ["$distinct_id"],
        }
        if self.summary["page"]:
            params |= {"session_id": self.summary["session_id"], "page": self.summary["page"]}
        return remote.page(self._asked("engage-query", params), self.summary["page"])

    def _asked(self, operation_id: str, params: dict[str, Any]) -> Any:
        """Return the answer of a query. Raises PutOff where the budget is spent, Failed where Mixpanel refuses."""
        runtime = self.runtime.with_settings(send_attempts=1)  # what passes is put off, not waited for
        project = self._project()
        call = send.ready(runtime, project, registry.OPERATIONS[operation_id], CallInput(params))
        stops = call.composed.stops(force=True)
        if stops:
            raise Failed(stops[0].message)
        _delivery, outcome = send.send(runtime, call, self.known.who, "comparison")
        self.summary["queries"] = self.summary.get("queries", 0) + outcome.attempts
        if outcome.verdict != "accepted" or outcome.answer is None:
            raise self._no(outcome)
        return send.answer_json(outcome.answer.text)

    def _no(self, outcome: Outcome) -> Exception:
        later = self.runtime.clock() + WAIT
        spent = outcome.trail.spent
        if spent is not None:
            return PutOff(spent.frees_at or later, outcome.words)
        self.summary["tries"] = self.summary.get("tries", 0) + 1
        if outcome.verdict == "failed" and self.summary["tries"] <= MOST_TRIES:
            asked = 0.0 if outcome.answer is None else asked_pause(outcome.answer, self.runtime.clock())
            return PutOff(self.runtime.clock() + max(WAIT, round(asked * SECOND)), outcome.words)
        return Failed(outcome.words)

    def _project(self) -> Project:
        found = self.runtime.database.read(lambda db: projects.by_name(db, self.known.project), one_statement=True)
        if found is None:
            raise Failed(f"There is no project {self.known.project} any more.")
        return found

    def _id_file(self) -> IdFile:
        return _id_file(self.runtime, self.summary.setdefault("name_of_file", secrets.token_hex(16)))

    def _give_up(self) -> None:
        """It is not ours any more: somebody cancelled it, or another worker goes on with its file."""
        now = self.runtime.database.read(lambda db: jobs.by_id(db, self.known.id))
        if now is not None and not now.is_open:
            _id_file(self.runtime, self.summary["name_of_file"]).remove()

    # --- the row

    def _renew(self) -> bool:
        until = self.runtime.clock() + jobs.LEASE.length
        kept = self._write(lambda db: jobs.go_on(db, self.claim, self.summary, until))
        self.claim.until = until
        return kept

    def _write(self, work: Any) -> bool:
        return bool(self.runtime.database.write(work))

    def _end(self, state: str, summary: Summary, found: Difference) -> None:
        now, sides = self.runtime.clock(), (found.missing_ids, found.extra_ids)
        self._write(lambda db: jobs.end(db, self.claim, state, summary, now, sides))


MOST_TRIES = 20
SEALED = "The project's credentials cannot be read with this SECRET_KEY. Give them again, then compare again."
_ON_THE_WAY = frozenset(
    {"message", "session_id", "page", "size", "expected", "tries", "name_of_file", "file", "column"}
)
