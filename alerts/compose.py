"""The words of a message: what happened, why, what to do, and where to look. No member data, no secret."""

from dataclasses import dataclass

from alerts.rules import CHANGES, RECOVERED, STEADY, WELL, Remembered, Subject
from config.clock import MINUTE

TEST = "test"

_HAPPENED = {
    "failing": "is failing",
    "quiet": "has gone quiet",
    "stalled": "has stalled",
    "held": "is held until you decide",
    "filling": "is nearly full",
    "recovered": "has recovered",
    "changing": "is changing state often",
}
_MINUTES = STEADY // MINUTE


@dataclass(frozen=True)
class Message:
    """One message before it becomes a row for each channel. `link` is absolute."""

    kind: str
    subject: str
    title: str
    text: str
    link: str


def compose(kind: str, subject: Subject, known: Remembered, public_url: str) -> Message:
    """Return the message of this kind about a subject; `known` is what is remembered of it from now on."""
    title = one_line(f"{subject.name} {_HAPPENED[kind]}")
    sentences = _changing(subject, known) if kind == "changing" else [subject.cause, _advice(kind, subject)]
    text = "\n".join(filter(None, map(one_line, sentences)))
    return Message(kind, subject.key, title, text, f"{public_url}{subject.link_path}")


def test_message(who: str, public_url: str) -> Message:
    text = f"{who} asked for this test of the alerts. It arrived, so nothing needs to be done."
    return Message(TEST, TEST, "Test message from Cohort Relay", one_line(text), public_url)


def one_line(words: str) -> str:
    """Names come from outside: no line breaks and control characters, which would begin a header of their own."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())


def _advice(kind: str, subject: Subject) -> str:
    if kind == RECOVERED:
        return "Nothing needs to be done."
    return f"What to do: {subject.what_to_do}" if subject.what_to_do else ""


def _changing(subject: Subject, known: Remembered) -> list[str]:
    heard = {WELL: "that all is well", "": "nothing"}.get(known.told, f"that it is {known.told}")
    damped = (
        f"Nothing more is sent until it has kept one state for {_MINUTES} minutes. Then you hear of that state, if it"
        f" is another one than what you heard last ({heard})."
    )
    return [
        f"It changed state more than {CHANGES} times within an hour. {subject.cause}",
        damped,
        _advice("", subject),
    ]
