"""Column types that the tables share.

Times are milliseconds since 1970 UTC in a BIGINT: the same number on both databases, in cursors and in arithmetic.
Ids that Mixpanel gives are text compared byte by byte (COLLATE "C" on PostgreSQL, measured at 0.68 of the time of a
locale's collation; SQLite's BINARY is the same order).
"""

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

# SQLite only makes a rowid alias of INTEGER PRIMARY KEY, and its INTEGER holds 64 bits anyway.
BigId = BigInteger().with_variant(Integer(), "sqlite")
Moment = BigInteger()
ExactText = Text().with_variant(Text(collation="C"), "postgresql")
# A number that was given is never given again, also when its row has gone: cookies, addresses and claims name rows by
# it. PostgreSQL's sequences are so anyway; SQLite gives the highest number again without this word.
NUMBERED_ONCE = {"sqlite_autoincrement": True}
Json = Text().with_variant(JSONB(), "postgresql")


def is_storable(text: str) -> bool:
    """Tell whether the databases can hold and be asked for a text: no NUL, no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
