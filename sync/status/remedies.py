"""What Mixpanel does after an answer that refuses its call, and what a person does then."""

from dataclasses import dataclass

FIND_THE_SYNC = "In Mixpanel, open Data, Destinations, the connection, then Syncs"
START_AGAIN = "Start the sync again"
ASK_MIXPANEL = "If it comes back, send Mixpanel's support what we answered and the request id; only they can mend it"

PAUSED = "Mixpanel has paused this cohort's sync and mailed the people who set it up."
RETRIES = "Mixpanel tries again up to 5 times within a minute, then at its next cycle. Nothing is lost."
WHOLE_COHORT = "If this lasts more than 3 days, Mixpanel sends the whole cohort again."
NOT_MIXPANEL = "Mixpanel always sends POST, so something else has called. Nothing needs to be done."

PAUSING = frozenset({400, 401, 403, 404})

_TITLES = {
    "cut_short": "The body did not come whole",
    "database_unavailable": "The database did not answer",
    "fault": "A fault of ours",
    "impossible_page": "An impossible page number",
    "no_cohort_id": "No cohort id",
    "no_members": "No list of members",
    "not_an_object": "The body is not a JSON object",
    "not_gzip": "The body is not gzip, though it says so",
    "not_json": "The body is not JSON",
    "other_project": "A project that the connection may not write",
    "switched_off": "The connection is switched off",
    "too_large": "The body is too large",
    "too_many_members": "Too many members in a page",
    "too_many_values": "Too many values in a page",
    "too_many_calls": "Too many calls from one connection",
    "too_many_sign_ins": "Too many wrong sign-ins from one address",
    "unknown_address": "An address that is none of ours",
    "unknown_action": "An unknown action",
    "unknown_encoding": "An unknown content encoding",
    "wrong_credentials": "Wrong username or password",
    "wrong_key": "The relay runs with another SECRET_KEY",
    "wrong_method": "Not a POST",
}

# What mends a cause, where it is in our hands or in those of whoever set the sync up.
_MENDS = {
    "cut_short": "If this goes on, look at the network and the proxy in between, or raise SLOW_CLIENT_SECONDS",
    "database_unavailable": "See whether the database runs and its disk has room: flask doctor",
    "fault": "Look at the traceback, and report it with the request id",
    "other_project": "Allow the project, if its cohorts belong here; or take the sync out of Mixpanel",
    "switched_off": "Switch the connection on again when it may receive",
    "too_large": "Raise MAX_BODY_MB, or send fewer members a page",
    "too_many_calls": "If this goes on, raise WEBHOOK_RATE_LIMIT",
    "too_many_sign_ins": "If the caller is Mixpanel, mend its password first",
    "unknown_address": "Set it up anew with the address that the connection's page shows; Mixpanel can't edit it",
    "wrong_credentials": "Find the right password, or create a new connection and set it up in Mixpanel",
    "wrong_key": "Put the earlier SECRET_KEY back, and start the relay again: flask doctor",
}


@dataclass(frozen=True)
class NextStep:
    """`tone` is needs-you where a person must act, waiting where it passes by itself. `steps` are in order."""

    tone: str
    headline: str
    sentence: str
    steps: tuple[str, ...]


def pauses(status: int) -> bool:
    """Whether Mixpanel pauses the sync after this answer, instead of trying again."""
    return status in PAUSING


def after(status: int, cause: str) -> NextStep:
    """Return what Mixpanel does next after a call that was answered with `status` for `cause`."""
    if status == 405:  # noqa: PLR2004
        return NextStep("waiting", "This was not Mixpanel", NOT_MIXPANEL, ())
    if status == 401:  # noqa: PLR2004
        why = "The password in Mixpanel is not one of this connection's live passwords; the URL need not change."
        sentence = f"{PAUSED} {why}"
        return NextStep("needs-you", "Mixpanel has paused this sync", sentence, _mended(cause))
    if pauses(status):
        return NextStep("needs-you", "Mixpanel has paused this sync", PAUSED, _mended(cause))
    sentence = RETRIES if status == 429 else f"{RETRIES} {WHOLE_COHORT}"  # noqa: PLR2004
    steps = (_MENDS[cause],) if cause in _MENDS else ()
    return NextStep("waiting", "Mixpanel tries again by itself", sentence, steps)


def title(cause: str) -> str:
    """Return a cause's short name for people; a cause without one is shown as it is."""
    return _TITLES.get(cause) or cause.replace("_", " ").capitalize()


def _mended(cause: str) -> tuple[str, ...]:
    if cause in _MENDS:
        return _MENDS[cause], FIND_THE_SYNC, START_AGAIN
    return FIND_THE_SYNC, START_AGAIN, ASK_MIXPANEL
