"""Refused requests that mention someone. They are sealed, so each is opened and looked at."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from erasure.matcher import Mentions
from models.database import Database
from models.encryption import Encryption
from security.refused_requests import unseal

KIND = "refused_requests"
PIECE = 200

_NEXT = text("""
    SELECT r.failure_id, r.sealed FROM refused_request r JOIN failure f ON f.id = r.failure_id
    WHERE r.failure_id > :after AND (f.project_id IS NULL OR f.project_id = :project_id)
    ORDER BY r.failure_id LIMIT :piece""")
_DELETE = text("DELETE FROM refused_request WHERE failure_id = :id")


def found(database: Database, cipher: Encryption, project_id: str, mentions: Mentions) -> list[int]:
    """Return the failures whose requests mention them."""
    return [number for number, body in _opened(database, cipher, project_id) if mentions.within(body)]


def _opened(database: Database, cipher: Encryption, project_id: str) -> Iterator[tuple[int, str]]:
    after = 0
    while True:
        values = {"after": after, "project_id": project_id, "piece": PIECE}
        rows = database.read(lambda db: db.execute(_NEXT, values).all(), one_statement=True)  # noqa: B023
        for row in rows:
            request = unseal(cipher, bytes(row.sealed))
            if request is not None:
                headers = "\n".join(f"{name}: {value}" for name, value in request.headers)
                yield row.failure_id, f"{request.path}\n{headers}\n{request.body.decode('utf-8', 'replace')}"
        if len(rows) < PIECE:
            return
        after = rows[-1].failure_id


def forget(db: Connection, numbers: list[int]) -> int:
    """Delete these requests; their failures stay. Returns how many there were."""
    return sum(db.execute(_DELETE, {"id": number}).rowcount for number in numbers)
