"""What Mixpanel does after an answer that refuses its call, and what a person does then."""

from dataclasses import dataclass

from config.words import _, later

FIND_THE_SYNC = later("In Mixpanel, open Data, Destinations, the connection, then Syncs")
START_AGAIN = later("Start the sync again")
ASK_MIXPANEL = later(
    "If it comes back, send Mixpanel's support what we answered and the request id; only they can mend it"
)

PAUSED = later("Mixpanel has paused this cohort's sync and mailed the people who set it up.")
RETRIES = later("Mixpanel tries again up to 5 times within a minute, then at its next cycle. Nothing is lost.")
WHOLE_COHORT = later("If this lasts more than 3 days, Mixpanel sends the whole cohort again.")
NOT_MIXPANEL = later("Mixpanel always sends POST, so something else has called. Nothing needs to be done.")

PAUSING = frozenset({400, 401, 403, 404})

_TITLES = {
    "cut_short": later("The body did not come whole"),
    "database_unavailable": later("The database did not answer"),
    "fault": later("A fault of ours"),
    "impossible_page": later("An impossible page number"),
    "no_cohort_id": later("No cohort id"),
    "no_members": later("No list of members"),
    "not_an_object": later("The body is not a JSON object"),
    "not_gzip": later("The body is not gzip, though it says so"),
    "not_json": later("The body is not JSON"),
    "other_project": later("A project that the connection may not write"),
    "switched_off": later("The connection is switched off"),
    "too_large": later("The body is too large"),
    "too_many_members": later("Too many members in a page"),
    "too_many_values": later("Too many values in a page"),
    "too_many_calls": later("Too many calls from one connection"),
    "too_many_sign_ins": later("Too many wrong sign-ins from one address"),
    "unknown_address": later("An address that is none of ours"),
    "unknown_action": later("An unknown action"),
    "unknown_encoding": later("An unknown content encoding"),
    "wrong_credentials": later("Wrong username or password"),
    "wrong_key": later("The relay runs with another SECRET_KEY"),
    "wrong_method": later("Not a POST"),
}

# What mends a cause, where it is in our hands or in those of whoever set the sync up.
_MENDS = {
    "cut_short": later("If this goes on, look at the network and the proxy in between, or raise SLOW_CLIENT_SECONDS"),
    "database_unavailable": later("See whether the database runs and its disk has room: flask doctor"),
    "fault": later("Look at the traceback, and report it with the request id"),
    "other_project": later("Allow the project, if its cohorts belong here; or take the sync out of Mixpanel"),
    "switched_off": later("Switch the connection on again when it may receive"),
    "too_large": later("Raise MAX_BODY_MB, or send fewer members a page"),
    "too_many_calls": later("If this goes on, raise WEBHOOK_RATE_LIMIT"),
    "too_many_sign_ins": later("If the caller is Mixpanel, mend its password first"),
    "unknown_address": later(
        "Set it up anew with the address that the connection's page shows; Mixpanel can't edit it"
    ),
    "wrong_credentials": later("Find the right password, or create a new connection and set it up in Mixpanel"),
    "wrong_key": later("Put the earlier SECRET_KEY back, and start the relay again: flask doctor"),
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
        return NextStep("waiting", _("This was not Mixpanel"), _(NOT_MIXPANEL), ())
    if status == 401:  # noqa: PLR2004
        why = _("The password in Mixpanel is not one of this connection's live passwords; the URL need not change.")
        sentence = f"{_(PAUSED)} {why}"
        return NextStep("needs-you", _("Mixpanel has paused this sync"), sentence, _mended(cause))
    if pauses(status):
        return NextStep("needs-you", _("Mixpanel has paused this sync"), _(PAUSED), _mended(cause))
    sentence = _(RETRIES) if status == 429 else f"{_(RETRIES)} {_(WHOLE_COHORT)}"  # noqa: PLR2004
    steps = (_(_MENDS[cause]),) if cause in _MENDS else ()
    return NextStep("waiting", _("Mixpanel tries again by itself"), sentence, steps)


def title(cause: str) -> str:
    """Return a cause's short name for people; a cause without one is shown as it is."""
    return _(_TITLES[cause]) if cause in _TITLES else cause.replace("_", " ").capitalize()


def _mended(cause: str) -> tuple[str, ...]:
    if cause in _MENDS:
        return _(_MENDS[cause]), _(FIND_THE_SYNC), _(START_AGAIN)
    return _(FIND_THE_SYNC), _(START_AGAIN), _(ASK_MIXPANEL)
