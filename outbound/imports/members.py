"""A cohort as source: one record for each member, made from a template.

In the texts of the template {{distinct_id}}, {{email}}, {{first_name}}, {{last_name}}, {{phone_number}}, {{now}} and
{{properties.NAME}} stand for the member's values. A text that is nothing else takes the value as it is, a number as a
number. The place of a record is our id of the person.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import Row

from models.database import Database
from models.queries.members import page
from outbound.readers.objects import ReadRecord

PIECE = 2000
FIELDS = ("distinct_id", "email", "first_name", "last_name", "phone_number")
_PLACE = re.compile(r"\{\{([\w.$\s-]++)\}\}")

Record = dict[str, Any]


class WrongTemplate(ValueError):
    """The template cannot be filled in; says why."""


def checked(template: Any) -> Record:
    """Return the template, if it is one record that names who it is about. Raises WrongTemplate."""
    if not isinstance(template, dict):
        raise WrongTemplate("The template is one JSON object: the record that each member gets.")
    used = {one.strip() for written in _texts(template) for one in _PLACE.findall(written)}
    unknown = sorted(name for name in used if name not in {*FIELDS, "now"} and not name.startswith("properties."))
    if unknown:
        known = ", ".join([*FIELDS, "now", "properties.NAME"])
        raise WrongTemplate(f"There is no {{{{{unknown[0]}}}}}. There are: {known}.")
    if "distinct_id" not in used:
        raise WrongTemplate("{{distinct_id}} stands nowhere in it, so that all would get the same record.")
    return template


def _texts(template: Any) -> Iterator[str]:
    """Yield every text of the template in which placeholders are filled in."""
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict | list):
        for part in template.values() if isinstance(template, dict) else template:
            yield from _texts(part)


def reads(
    database: Database, cohort: int, template: Record, now: int, limit: int | None = None
) -> Iterator[ReadRecord]:
    """Yield the record of each member; whoever enters or leaves meanwhile may or may not be among them."""
    after, given = 0, 0
    while rows := database.read(partial(page, cohort=cohort, after=after, limit=PIECE), one_statement=True):
        for row in rows:
            yield ReadRecord(row.person_id, filled(template, _values(row, now)))
            given += 1
            if given == limit:
                return
        after = rows[-1].person_id


def filled(template: Any, values: Record) -> Any:
    """Return the template with the values in it; what a member lacks is left out of objects, and empty within texts."""
    if isinstance(template, dict):
        pairs = ((name, filled(value, values)) for name, value in template.items())
        return {name: one for name, one in pairs if one is not None}
    if isinstance(template, list):
        return [filled(part, values) for part in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    if whole:
        return values.get(whole[1].strip())
    return _PLACE.sub(lambda found: _written(values.get(found[1].strip())), template)


def _values(row: Row[Any], now: int) -> Record:
    properties = json.loads(row.properties or "{}")
    own = {name: getattr(row, name) for name in FIELDS}
    return own | {"now": now // 1000} | {f"properties.{name}": value for name, value in properties.items()}


def _written(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
