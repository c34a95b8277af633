"""People: one row a person of a Mixpanel project, with the fields that cohorts export."""

from typing import Any

from sqlalchemy import BigInteger, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.columns import BigId, ExactText, Json, Moment
from models.database import Model


class Person(Model):
    """A person, keyed by (project, distinct id).

    `digest` is of the last member object that was applied: an equal one is known to change nothing without looking
    at the profile (S3). `named_fields` says which of the four columns that object named (bit 0 email, 1 first name,
    2 last name, 3 phone number); PostgreSQL's upsert needs it to tell "absent" from "null".
    A row without digest is someone whom only a removal has named: no profile is known. `erased_at` says that the person
    was erased (`sync.erasure`): the row then holds a random id and nothing else, and nobody finds it by the old one.
    """

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("project_id", "distinct_id"),
        # Operators look people up by e-mail and by name, in any case of letters.
        *(
            Index(
                f"ix_person_{field}",
                text(f"lower({field})"),
                "id",  # a common name is read on from where the page before it ended
                postgresql_where=text(f"{field} IS NOT NULL"),
                sqlite_where=text(f"{field} IS NOT NULL"),
            )
            for field in ("email", "first_name", "last_name")
        ),
        {"postgresql_with": {"fillfactor": "90"}},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[str] = mapped_column(ExactText)
    distinct_id: Mapped[str] = mapped_column(ExactText)
    digest: Mapped[int | None] = mapped_column(BigInteger)
    named_fields: Mapped[int] = mapped_column(SmallInteger)
    email: Mapped[str | None] = mapped_column(ExactText)
    first_name: Mapped[str | None] = mapped_column(ExactText)
    last_name: Mapped[str | None] = mapped_column(ExactText)
    phone_number: Mapped[str | None] = mapped_column(ExactText)
    properties: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[int] = mapped_column(Moment)
    updated_at: Mapped[int] = mapped_column(Moment)
    erased_at: Mapped[int | None] = mapped_column(Moment)
