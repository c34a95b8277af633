"""A page applied as it would be now, and nothing of it kept."""

from sqlalchemy import Connection

from models.database import Database
from sync.apply.receive import Receipt, receive
from sync.contract.page import Page
from sync.rules import Rules


class _Undone(Exception):
    """Takes everything back that was written, and brings what was found."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__()
        self.receipt = receipt


def dry_run(database: Database, page: Page, rules: Rules, connection_id: int, now: int) -> Receipt:
    """Return what would become of a page. Raises DatabaseUnavailable."""

    def apply(db: Connection) -> None:
        raise _Undone(receive(db, page, rules, connection_id, now))

    try:
        database.write(apply)
    except _Undone as undone:
        return undone.receipt
    raise AssertionError("a dry run always takes back what it did")
