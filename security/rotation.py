"""A new SECRET_KEY without a stop: everything sealed is sealed anew, a few rows at a time, while others write.

The key of now and the earlier ones are all known to every process, so each row opens before and after it was sealed
anew; a rotation that was killed goes on where it was. Digests of passwords and tokens cannot be made anew from what is
stored: they are renewed at their next use (`security.renewed_digests`), and until then need the earlier key.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from models.database import Database
from models.encryption import DecryptionError, Encryption
from runtime import Runtime
from security import key_check
from security.audit import TERMINAL, note
from security.key_uses import DIGESTED, SEALED, SealedColumn
from security.secrets import key_id

PIECE = 50  # rows of one transaction: milliseconds each, between which pages write
PASSES = 5  # at most; each but the last finds what was written meanwhile under an earlier key

_BEGIN = text("UPDATE secret_key_check SET digest = :new, since = :now, names_digest = coalesce(names_digest, digest)")
_UNDER_WAY = text("SELECT EXISTS (SELECT 1 FROM message WHERE state IN ('waiting', 'sending', 'parked'))")


class NoRotation(Exception):
    """There is nothing to rotate to, or the earlier key is not known; the text says what to do."""


@dataclass(frozen=True)
class KeyUse:
    """How much depends on one key, by the name of its column; `id` is `security.secrets.key_id`, None for what no known
    key opens."""

    id: int | None
    is_current: bool
    sealed: dict[str, int]
    digested: dict[str, int]


def is_begun(db: Connection, keys: Sequence[str]) -> bool:
    """Whether the database's key is the first of these already."""
    return bool(key_check.is_right(db, keys[0]))


def start(db: Connection, keys: Sequence[str], now: int) -> None:
    """Make the first key the database's, in one transaction: from now on digests are renewed under it. Rows whose key
    was never noted are those of the database's key until now."""
    before = next((key for key in keys[1:] if key_check.is_right(db, key)), None)
    if before is None:
        raise NoRotation("The database's key is not among those that are known.")
    for column in DIGESTED:
        if column.live is not None:
            # names from our own list
            noted = f"UPDATE {column.table} SET key_id = :id WHERE key_id IS NULL"  # noqa: S608
            db.execute(text(noted), {"id": key_id(before)})
    db.execute(_BEGIN, {"new": key_check.proof(keys[0]), "now": now})
    note(db, now, TERMINAL, "secret_key.rotate", "SECRET_KEY", {"key": shown(before)}, {"key": shown(keys[0])})


def shown(key: str) -> str:
    """Return how people tell one key from another."""
    return f"{key_id(key):08x}"


def reseal(runtime: Runtime, told: Callable[[str, int], None] = lambda _words, _rows: None) -> int:
    """Seal under the key of now whatever is not; returns how many values that were. `told` hears of each column that
    is through, and how many. Raises DatabaseUnavailable, after which the same call goes on."""
    total = 0
    for _ in range(PASSES):
        went = 0
        for column in SEALED:
            rows = sum(_resealed(runtime, column, rows) for rows in _pieces(runtime.database, column))
            told(column.words, rows)
            went += rows
        total += went
        if not went:
            break
    return total


def _pieces(database: Database, column: SealedColumn) -> Iterator[Sequence[Row[Any]]]:
    first, following = _statements(column)
    rows = database.read(lambda db: db.execute(first, {"piece": PIECE}).all(), one_statement=True)
    while rows:
        yield rows
        values = {"after": rows[-1].id, "piece": PIECE}
        rows = database.read(lambda db: db.execute(following, values).all(), one_statement=True)  # noqa: B023


def _statements(column: SealedColumn) -> tuple[TextClause, TextClause]:
    """Return what reads the first rows, and the next ones; all names are from our own list."""
    what = f"SELECT {column.key} AS id, {column.column} AS sealed FROM {column.table}"  # noqa: S608
    sealed, order = f"{column.column} IS NOT NULL", f"ORDER BY {column.key} LIMIT :piece"
    return (
        text(f"{what} WHERE {sealed} {order}"),
        text(f"{what} WHERE {sealed} AND {column.key} > :after {order}"),
    )


def _resealed(runtime: Runtime, column: SealedColumn, rows: Sequence[Row[Any]]) -> int:
    """Seal some rows anew in one transaction. A row that somebody has written meanwhile stays as they wrote it."""
    replaced = [(row.id, row.sealed, _anew(runtime.cipher, row.sealed)) for row in rows]
    statement = text(
        f"UPDATE {column.table} SET {column.column} = :sealed"  # noqa: S608 - our own list
        f" WHERE {column.key} = :id AND {column.column} = :before"
    )
    values = [{"id": id_, "before": before, "sealed": sealed} for id_, before, sealed in replaced if sealed is not None]
    if not values:
        return 0
    return runtime.database.write(lambda db: sum(db.execute(statement, value).rowcount for value in values))


def _anew(cipher: Encryption, sealed: str | bytes) -> str | bytes | None:
    """Return it under the key of now; None where it is that already, or opens with no key that is known."""
    content = sealed.encode() if isinstance(sealed, str) else bytes(sealed)
    if cipher.opened_by(content) in {0, None}:
        return None
    try:
        fresh = cipher.encrypt_bytes(cipher.decrypt_bytes(content))
    except DecryptionError:
        return None
    return fresh.decode() if isinstance(sealed, str) else fresh


def uses(runtime: Runtime) -> list[KeyUse]:
    """Return what depends on each key, that of now first; at the end what no known key opens, if there is any."""
    keys = runtime.settings.keys_now()
    sealed: dict[int | None, dict[str, int]] = {}
    for column in SEALED:
        for rows in _pieces(runtime.database, column):
            for row in rows:
                content = row.sealed.encode() if isinstance(row.sealed, str) else bytes(row.sealed)
                _count(sealed, runtime.cipher.opened_by(content), column.name)
    digested = runtime.database.read(lambda db: _digested(db, keys, runtime.clock()))
    known = [
        KeyUse(key_id(key), place == 0, sealed.get(place, {}), digested.get(place, {}))
        for place, key in enumerate(keys)
    ]
    lost = KeyUse(None, False, sealed.get(None, {}), digested.get(None, {}))
    return [*known, lost] if lost.sealed or lost.digested else known


def _count(counts: dict[int | None, dict[str, int]], place: int | None, name: str, rows: int = 1) -> None:
    of_key = counts.setdefault(place, {})
    of_key[name] = of_key.get(name, 0) + rows


def _digested(db: Connection, keys: Sequence[str], now: int) -> dict[int | None, dict[str, int]]:
    """Count digests by the place of their key. A row without one is of the database's key of now: it was written before
    the first rotation."""
    database_key = next((place for place, key in enumerate(keys) if key_check.is_right(db, key)), None)
    places: dict[int | None, int | None] = {key_id(key): place for place, key in enumerate(keys)}
    places[None] = database_key
    found: dict[int | None, dict[str, int]] = {}
    for column in DIGESTED:
        if column.live is not None:
            counted = f"SELECT key_id, count(*) FROM {column.table} WHERE ({column.live}) GROUP BY key_id"  # noqa: S608
            values = {"now": now} if ":now" in column.live else {}
            for row in db.execute(text(counted), values):
                _count(found, places.get(row.key_id), column.name, row[1])
    return found


def names_old(db: Connection, keys: Sequence[str]) -> bool:
    """Whether messages that may still be sent have their names under an earlier key."""
    return key_check.names_by(db, keys) != keys[0] and bool(db.execute(_UNDER_WAY).scalar())


def forget_names(db: Connection) -> None:
    """Name messages under the key of now from the next start on."""
    db.execute(text("UPDATE secret_key_check SET names_digest = NULL"))
