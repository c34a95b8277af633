"""Ids of our own people, offered while somebody types one into the composer.

What is typed is posted with the form, so that no id and no name stands in an address.
"""

from dataclasses import dataclass

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from htmx_flask import request
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.outbound import blueprint, drafts
from blueprints.outbound.body_files import LARGEST_FIELDS, largest
from blueprints.urls import can_be_stored
from outbound import projects
from outbound.operations import registry
from runtime import current_runtime
from security.forms import MOST_PARTS_OF_ROWS, takes, takes_files
from security.roles import needs

FIELDS = ("distinct_id", "$distinct_id", "$identified_id")
MOST = 8
LONGEST = 200  # characters that are looked for
_NAMESAKES = 500  # people whose name or e-mail begins so, among whom those of the project are looked for
_HIGHEST = "\U0010ffff"  # sorts behind every character

# A look into one index each, whatever the number of people.
_NAMED = " UNION ".join(
    f"""SELECT id FROM (SELECT id FROM person WHERE {name} IS NOT NULL AND lower({name}) >= :start
        AND lower({name}) < :end ORDER BY lower({name}) LIMIT :namesakes) AS by_{name}"""  # noqa: S608 - our own words
    for name in ("email", "first_name", "last_name")
)
_FIND = text(f"""
    SELECT distinct_id, email, first_name, last_name FROM person WHERE erased_at IS NULL AND id IN (
        SELECT id FROM (SELECT id FROM person WHERE project_id = :project AND distinct_id >= :typed
            AND distinct_id < :typed_end ORDER BY distinct_id LIMIT :most) AS by_id UNION {_NAMED})
        AND project_id = :project ORDER BY distinct_id LIMIT :most""")  # noqa: S608 - our own words


@dataclass(frozen=True)
class SuggestedPerson:
    """Somebody whose id may be meant."""

    distinct_id: str
    email: str | None
    first_name: str | None
    last_name: str | None

    @property
    def words(self) -> str:
        """Who it is, for whoever does not know the id."""
        name = " ".join(filter(None, (self.first_name, self.last_name)))
        return ", ".join(filter(None, (name, self.email)))


@blueprint.post("/send/people")
@needs("operator")
@takes(LARGEST_FIELDS)
@takes_files(largest, parts=MOST_PARTS_OF_ROWS)
def suggest_people() -> ResponseReturnValue:
    """The people of the chosen project whose id, e-mail or name begins as was typed, for the field's list."""
    operation = registry.find(request.form.get("operation", ""))
    if operation is None:
        abort(400)
    if not request.htmx:
        return drafts.lead(operation, request.form)
    typed = next((value for name in FIELDS if (value := request.form.get(f"p.{name}", "").strip())), "")
    named = request.form.get("project", "")
    found: list[SuggestedPerson] = []
    if typed and len(typed) <= LONGEST and can_be_stored(typed):
        found = current_runtime().database.read(lambda db: _suggested(db, named, typed))
    return render_template("outbound/_people.html", people=found)


def _suggested(db: Connection, named: str, typed: str) -> list[SuggestedPerson]:
    project = projects.by_name(db, named)
    if project is None:
        return []
    start = typed.encode().lower().decode()
    values = {"project": project.mixpanel_project_id, "typed": typed, "typed_end": typed + _HIGHEST}
    values |= {"start": start, "end": start + _HIGHEST}
    return rows.every(db.execute(_FIND, values | {"most": MOST, "namesakes": _NAMESAKES}), SuggestedPerson)
