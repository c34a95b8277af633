"""What the calls about what a connection keeps take and answer; see `blueprints.api.types`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from blueprints.json_types import Moment, Whole
from models.profile_choice import LONGEST_FIELD, MOST_DAYS, MOST_FIELDS, Way

Field = Annotated[str, Meta(min_length=1, max_length=LONGEST_FIELD)]
Fields = Annotated[list[Field], Meta(max_length=MOST_FIELDS)]
Days = Annotated[int, Meta(ge=1, le=MOST_DAYS)]


class Keeping(Struct):
    """What is kept of profiles that arrive: `keep` all fields, none, or those of a list; `email` and `phone` are kept,
    dropped or hashed, by their usual names and in `email_fields` and `phone_fields`. `days` are fields with the days
    after which a stored one is dropped."""

    keep: Literal["all", "none"] | Fields = "all"
    email: Way = "keep"
    phone: Way = "keep"
    email_fields: Fields = []
    phone_fields: Fields = []
    days: Annotated[dict[Field, Days], Meta(max_length=MOST_FIELDS)] = {}


class MinimisationAsked(Struct):
    """So many people, 10,001 at most, which stands for more, will be gone through."""

    name: str
    people: Whole
    asked_at: Moment
