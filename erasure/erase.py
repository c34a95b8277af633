"""The story of one erasure. It may be interrupted anywhere and asked for again: the proof is what is written last.

First what mentions the person goes, piece by piece, because the e-mail and the phone number by which it is found are in
the profile. Then the person leaves all cohorts and becomes nobody, in one transaction (`sync.erasure`). Then once more
what was written meanwhile, and the proof.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from destinations import erasure as destinations_erasure
from erasure import files as kept_files
from erasure import records, redaction, refused_requests
from erasure.matcher import Mentions
from erasure.pii_columns import PiiColumns
from erasure.records import DataSubject, Erasure
from models.database import Database
from models.encryption import Encryption
from runtime import Runtime
from security import handover
from security.audit import note
from sync import erasure as sync_erasure


class InTheWay(Exception):
    """Something is under way that would write about the person again. Nothing was changed."""

    def __init__(self, things: list[str]) -> None:
        shown = ", ".join(things[:5]) + (f" and {len(things) - 5} more" if len(things) > 5 else "")  # noqa: PLR2004
        super().__init__(
            f"Under way with this person in it: {shown}. Wait until it has ended, or cancel it, then erase again. "
            "Nothing was changed."
        )


class NothingToErase(Exception):
    """Nothing of this person is stored, and nothing of them was ever erased."""


@dataclass(frozen=True)
class ErasurePreview:
    """What an erasure would remove, by kind, what is in its way, and whether one was interrupted."""

    counts: dict[str, int]
    in_the_way: list[str]
    interrupted: bool

    @property
    def is_nothing(self) -> bool:
        return not self.interrupted and not any(self.counts.values())


@dataclass(frozen=True)
class Eraser:
    """Erases people. `keys` make the digests of the proofs, that of now first, `instance` is the folder with the
    uploads, `cipher` seals what destinations are still to be told."""

    database: Database
    clock: Callable[[], int]
    keys: Sequence[str]
    instance: Path
    cipher: Encryption

    def look(self, person: DataSubject) -> ErasurePreview:
        """Return what an erasure of this person would remove. Raises DatabaseUnavailable."""
        mentions = self._mentions(person)
        known = self.database.read(lambda db: _known(db, person))
        counts = (
            known | redaction.count(self.database, person.project_id, mentions) | self._files(mentions, remove=False)
        )
        requests = refused_requests.found(self.database, self.cipher, person.project_id, mentions)
        counts |= {refused_requests.KIND: len(requests)} if requests else {}
        return ErasurePreview(counts, self._in_the_way(person, mentions), self._is_open(person))

    def erase(self, person: DataSubject, who: str) -> Erasure:
        """Erase, and give the proof. The newest earlier proof where nothing is there any more.

        Raises InTheWay, NothingToErase, and DatabaseUnavailable, after which the same call goes on where it was.
        """
        mentions = self._mentions(person)
        things = self._in_the_way(person, mentions)
        if things:
            raise InTheWay(things)
        if self.look(person).is_nothing:
            return self._earlier(person)
        erasure = self.database.write(lambda db: records.open_for(db, person, self.keys, who, self.clock()))
        self._blank(erasure, person, mentions)
        alias = sync_erasure.ALIAS + secrets.token_hex(16)
        self.database.write_over(lambda db: self._leave(db, erasure, person, alias))
        self._blank(erasure, person, mentions)
        return self._prove(erasure, who)

    def erased(self, person: DataSubject) -> list[Erasure]:
        """Return the proofs about this person, the newest first; an interrupted erasure is among them, without
        `erased_at`."""
        return self.database.read(lambda db: records.of(db, person, self.keys), one_statement=True)

    # --- the steps

    def _mentions(self, person: DataSubject) -> Mentions:
        row = self.database.read(
            lambda db: sync_erasure.find(db, person.project_id, person.distinct_id), one_statement=True
        )
        email, phone = (row.email, row.phone_number) if row is not None else (None, None)
        return Mentions(person.distinct_id, email, phone)

    def _in_the_way(self, person: DataSubject, mentions: Mentions) -> list[str]:
        project, distinct_id, now = person.project_id, person.distinct_id, self.clock()
        return self.database.read(lambda db: kept_files.in_the_way(db, project, distinct_id, mentions, now))

    def _is_open(self, person: DataSubject) -> bool:
        return self.database.read(lambda db: records.is_open(db, person, self.keys), one_statement=True)

    def _earlier(self, person: DataSubject) -> Erasure:
        found = self.erased(person)
        if not found:
            raise NothingToErase
        return found[0]

    def _blank(self, erasure: int, person: DataSubject, mentions: Mentions) -> None:
        for place, rows in redaction.pieces(self.database, person.project_id, mentions):
            self.database.write_over(partial(_blank_rows, erasure=erasure, place=place, rows=rows, mentions=mentions))
        requests = refused_requests.found(self.database, self.cipher, person.project_id, mentions)
        if requests:
            self.database.write(partial(_forget_requests, erasure=erasure, numbers=requests))
        files = self._files(mentions, remove=True)
        if files:
            self.database.write(lambda db: records.add(db, erasure, files))

    def _files(self, mentions: Mentions, *, remove: bool) -> dict[str, int]:
        found = [path for path in kept_files.files(self.instance) if kept_files.mentions_within(path, mentions)]
        count = sum(map(_removed, found)) if remove else len(found)
        return {"files": count} if count else {}

    def _leave(self, db: Connection, erasure: int, person: DataSubject, alias: str) -> None:
        handover.forget(db)
        records.lock(db, erasure)  # two erasures of one person count nothing twice
        row = sync_erasure.find(db, person.project_id, person.distinct_id)
        if row is not None:
            subject = (person.project_id, person.distinct_id, row.id)
            records.add(db, erasure, destinations_erasure.forget(db, self.cipher, erasure, subject, self.clock()))
        went = sync_erasure.erase(db, person.project_id, person.distinct_id, alias, self.clock())
        records.add(db, erasure, went.counts)

    def _prove(self, erasure: int, who: str) -> Erasure:
        def prove(db: Connection) -> Erasure | None:
            now, ours = self.clock(), records.end(db, erasure, self.clock())
            found = records.by_id(db, erasure)
            if ours and found is not None:
                subject = f"erasure {erasure} of a person of project {found.project_id}"
                note(db, now, who, "person.erase", subject, after=found.counts)
            return found

        found = self.database.write(prove)
        self.database.empty_log()
        if found is None:
            raise LookupError("the proof that must be there is not")
        return found


def eraser(runtime: Runtime) -> Eraser:
    """Return the eraser of this app."""
    return Eraser(
        runtime.database, runtime.clock, runtime.settings.secret_keys, runtime.settings.instance, runtime.cipher
    )


def _blank_rows(db: Connection, erasure: int, place: PiiColumns, rows: Sequence[Row[Any]], mentions: Mentions) -> None:
    records.lock(db, erasure)  # two erasures of one person count nothing twice
    records.add(db, erasure, {place.kind: redaction.blank(db, place, rows, mentions)})


def _forget_requests(db: Connection, erasure: int, numbers: list[int]) -> None:
    records.lock(db, erasure)  # two erasures of one person count nothing twice
    gone = refused_requests.forget(db, numbers)
    records.add(db, erasure, {refused_requests.KIND: gone} if gone else {})


def _removed(path: Path) -> bool:
    """Tell whether it was us: another erasure of the same person may be at it."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _known(db: Connection, person: DataSubject) -> dict[str, int]:
    row = sync_erasure.find(db, person.project_id, person.distinct_id)
    if row is None:
        return {}
    told = destinations_erasure.known(db, person.project_id, row.id)
    return sync_erasure.known(db, person.project_id, row.id).counts | told
