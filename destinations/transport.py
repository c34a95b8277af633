"""HTTP for destinations: the guarded client of outbound, and what an answer means where a type does not know better.

    with closing(HTTP(opened, url)) as http:
        reply = http.post_json(url, body, hidden=hidden_in(changes))
        if reply.refusal is not None: return reply.refused()

Nothing is followed, nothing of the environment has a say, and what is kept of an answer names nobody.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec

from destinations.contract import Answer, Change, Opened, Refusal, RefusalKind
from destinations.waits import wait_of
from outbound.operations.types import Request
from outbound.request.masking import MASK, SHORTEST, Mask
from outbound.result import response
from outbound.transport import client
from outbound.transport.addresses import for_destinations
from outbound.transport.client import Broken, Client, Forbidden, Unreached
from outbound.transport.retry import UNTOUCHED, is_unheard

TIMEOUT = 30.0  # seconds for one call from the first step to the last byte, where a destination says no other
LARGEST = 1024 * 1024  # bytes of an answer that are read
LONGEST_LINE = 64 * 1024  # bytes
LOOKED_AT = 16 * 1024  # characters of it of which the kept ones are made
KEPT = 2048  # bytes of it that are kept
SHORT = 999  # a number up to here tells nobody who somebody is
SUCCESS, REDIRECTS, FIRST_REFUSAL = 200, 300, 400
UNAVAILABLE, TOO_LARGE = 503, 413
CREDENTIALS, GONE = frozenset({401, 403}), frozenset({404, 410})


class WrongAddress(ValueError):
    """It is no address that can be called; its text is a sentence for people."""


class NotRead(OSError):
    """What is there cannot be read; its text is a sentence for people."""


@dataclass(frozen=True)
class Reply:
    """What came of one call: an answer, or only the `refusal` where there is none. An answer that is no success has one
    too, by the default rules; `body` is what was read of it, `text` the 2 KB that may be kept."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    text: str = ""
    refusal: Refusal | None = None

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return response.read(self.body.decode("utf-8", "replace"))
        except response.NotJSON:
            return None

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        found = self.json
        return found if isinstance(found, dict) else {}

    def header(self, name: str) -> str:
        """Return a header's value however its name is written; empty where it is missing."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def refused(
        self, kind: RefusalKind | None = None, reason: str = "", told: str = "", wait: float | None = None
    ) -> Answer:
        """Return the answer to the engine where the call as a whole came to nothing, with the default's kind, reason,
        sentence and wait unless a type knows better. Raises ValueError where there is no refusal to begin with."""
        if self.refusal is None and kind is None:
            raise ValueError("the call was no failure")
        found = self.refusal or Refusal(kind or "unknown", reason, told)
        known = Refusal(
            kind or found.kind, reason or found.reason, told or found.told, found.wait if wait is None else wait
        )
        return Answer(refusal=known, status=self.status, text=self.text)


class HTTP:
    """Calls for one destination, to the servers of `urls` and no others, at addresses that it may call. `unheard` is
    what a 408 or a 5xx is taken for: a type that cannot repeat a call without harm says `unknown`."""

    def __init__(self, opened: Opened, *urls: str, unheard: RefusalKind = "unavailable") -> None:
        self._clock = opened.clock
        self._secrets = [secret for secrets in opened.secrets.values() for secret in secrets]
        self._unheard: RefusalKind = unheard
        self._client = Client(
            float(opened.settings.get("timeout_seconds") or TIMEOUT),
            frozenset(server_of(url) for url in urls),
            policy=for_destinations(private=opened.private),
            largest=LARGEST,
        )

    def post_json(
        self, url: str, body: Any, headers: Mapping[str, str] | None = None, hidden: Iterable[str] = ()
    ) -> Reply:
        """Post `body` as JSON; see `call`."""
        return self.call("POST", url, encoded(body), {"Content-Type": "application/json"} | dict(headers or {}), hidden)

    def call(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hidden: Iterable[str] = (),
    ) -> Reply:
        """Make one call. Raises nothing for what the far end does. `hidden` are the texts besides the secrets that must
        not stay in what is kept of the answer: identities, and fields of people."""
        scheme, server = server_of(url)
        base = f"{scheme}://{server}"
        request = Request(method, base, url[len(base) :], headers=tuple((headers or {}).items()), body=body)
        try:
            answer = self._client.call(request)
        except Forbidden as error:
            return Reply(refusal=Refusal("gone", "address_refused", f"{error} See ALLOW_PRIVATE_DESTINATIONS."))
        except Unreached as error:
            return Reply(refusal=Refusal("unavailable", "unreached", f"It could not be reached: {error}."))
        except Broken as error:
            told = f"The call left, and no whole answer came: {error}. Nobody knows whether it was taken."
            return Reply(refusal=Refusal("unknown", "no_answer", told))
        return self._read(answer, hidden)

    def _read(self, answer: client.Answer, hidden: Iterable[str]) -> Reply:
        text = kept(answer.text, self._secrets, hidden, whole=not answer.cut)
        refusal = refusal_of(answer.status, self._unheard)
        if refusal is not None and (refusal.kind == "throttled" or answer.status == UNAVAILABLE):
            refusal = replace(refusal, wait=wait_of(answer.headers, self._clock()))
        return Reply(answer.status, answer.headers, answer.body, text, refusal)

    def lines(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield the lines of an answer as they come, however many they are. Raises NotRead."""
        scheme, server = server_of(url)
        base = f"{scheme}://{server}"
        request = Request("GET", base, url[len(base) :], headers=tuple((headers or {}).items()))
        try:
            with self._client.stream(request) as (status, pieces):
                if refusal := refusal_of(status):
                    raise NotRead(refusal.told)
                yield from _lines(pieces)
        except (Forbidden, Unreached, Broken) as error:
            raise NotRead(f"It could not be read: {error}") from None

    def close(self) -> None:
        """Give back this thread's connections."""
        self._client.close()


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Raises NotRead where a line is no line."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
        if len(rest) > LONGEST_LINE:
            raise NotRead("The answer has no lines.")
    if rest:
        yield rest.decode("utf-8", "replace")


def server_of(url: str) -> tuple[str, str]:
    """Return scheme and server (with its port) of an address. Raises WrongAddress."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise WrongAddress("This is no address.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise WrongAddress("An address begins with https:// or http:// and names a server.")
    if "@" in parts.netloc:
        raise WrongAddress("An address has no user or password in it: secrets have settings of their own.")
    if "#" in url or "\\" in url or any(letter.isspace() or not letter.isprintable() for letter in url):
        raise WrongAddress("An address has no blanks, no backslash and no # in it.")
    return parts.scheme, parts.netloc.lower()


def encoded(body: Any) -> bytes:
    """Return JSON as it leaves: short, and in its own letters."""
    try:
        return msgspec.json.encode(body)
    except (UnicodeEncodeError, OverflowError):  # half of a pair of surrogates, an integer of more than 64 bits
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def refusal_of(status: int, unheard: RefusalKind = "unavailable") -> Refusal | None:
    """Return what a status means where a type does not know better; None for a success. Told apart by class, because
    proxies have numbers of their own (520 to 599)."""
    if SUCCESS <= status < REDIRECTS:
        return None
    told = f"It answered {status}."
    if status in UNTOUCHED:
        return Refusal("throttled", f"http_{status}", f"{told} It wants to be called less often.")
    if status == UNAVAILABLE:
        return Refusal("unavailable", f"http_{status}", f"{told} It does not work at the moment.")
    if is_unheard(status):
        return Refusal(unheard, f"http_{status}", f"{told} That is a trouble of its own.")
    return _final(status, told)


def _final(status: int, told: str) -> Refusal:
    reason = f"http_{status}"
    if status < FIRST_REFUSAL:
        return Refusal("unavailable", reason, f"{told} Redirects are not followed: give the address that it leads to.")
    if status in CREDENTIALS:
        return Refusal("credentials", reason, f"{told} It does not take these credentials.")
    if status in GONE:
        return Refusal("gone", reason, f"{told} What the settings name is not there.")
    if status == TOO_LARGE:
        return Refusal("size", reason, f"{told} The call was too large for it.")
    return Refusal("batch", reason, f"{told} It refuses something in this call.")


def hidden_in(changes: Sequence[Change]) -> list[str]:
    """Return the texts of changes that tell who somebody is."""
    told = _told([value for change in changes for value in change.fields.values()])
    return [*(text for change in changes for text in (change.identity, change.distinct_id)), *told]


def _told(values: list[Any]) -> Iterator[str]:
    """Yield the texts and numbers in these values, however deep they lie."""
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, int | float):
            if abs(value) > SHORT:
                yield json.dumps(value)
        elif isinstance(value, Mapping):
            values += value.values()
        elif isinstance(value, list | tuple):
            values += value


def kept(text: str, secrets: Iterable[str], hidden: Iterable[str], *, whole: bool = True) -> str:
    """Return what may be kept of an answer: at most KEPT bytes, without secrets and without what is `hidden`. Where it
    is not the `whole` answer, its end may be the first half of something, and goes."""
    looked_at = text[:LOOKED_AT]
    # A word is at least as long however it is written; most answers are shorter than anybody's id.
    hide = {word for word in (*secrets, *hidden) if word.strip() and len(word) <= len(looked_at)}
    mask = Mask(*hide)
    masked = _in_any_case(mask(looked_at), hide)
    if short := sorted((re.escape(word) for word in hide if len(word) < SHORTEST), key=len, reverse=True):
        masked = re.sub(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)", MASK, masked, flags=re.IGNORECASE)
    if not whole or len(text) > LOOKED_AT:
        masked = masked[: max(0, len(masked) - mask.longest)]
    return response.storable(masked).encode()[:KEPT].decode("utf-8", "ignore")


def _in_any_case(text: str, hide: Iterable[str]) -> str:
    """Mask what is spelt in other capitals than ours, as a far end that knows somebody already may do."""
    lowered = text.lower()
    for word in hide:
        if len(word) >= SHORTEST and word.lower() in lowered:
            text = re.sub(re.escape(word), MASK, text, flags=re.IGNORECASE)
    return text
