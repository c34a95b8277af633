"""The JSON API: `/api/v1`, read by developers' programs with a token. One module a noun; `operations` holds the list
that `openapi.json` is made from."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from blueprints import exports as cohort_exports
from blueprints import paging, urls
from blueprints.api import replies
from blueprints.slots import Slots

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
public = Blueprint("api_public", __name__, url_prefix="/api/v1")


@blueprint.record_once
def furnish(state: BlueprintSetupState) -> None:
    """What the routes below need of the app: the way that a distinct id stands in a path, and the slots for exports
    and for sending.

    An export keeps one of the server's threads until its reader has it all, so that only half of them may do that;
    calls to Mixpanel may be as many as there are threads.
    """
    threads = state.app.extensions["runtime"].settings.threads
    state.app.extensions.setdefault("exports", Slots(max(1, threads // 2)))
    state.app.extensions.setdefault("sends", Slots(max(1, threads)))
    state.app.url_map.converters["distinct_id"] = urls.DistinctId


for each in (blueprint, public):
    each.register_error_handler(replies.Problem, replies.problem)
    each.register_error_handler(paging.WrongCursor, replies.wrong_cursor)
    each.register_error_handler(cohort_exports.TooManyExports, replies.too_many_exports)

from blueprints.api import (  # noqa: E402, F401 - routes
    changes,
    cohorts,
    deliveries,
    destinations,
    exports,
    failures,
    keeping,
    managing,
    managing_destinations,
    managing_operators,
    managing_projects,
    members,
    messages,
    openapi,
    people,
    sending,
    sessions,
    subscriptions,
)
