"""What an operation is: the data that requests, forms, checks, the terminal, the API and the docs are made from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Family = Literal["api", "query", "export", "pipelines", "app"]
Auth = Literal["none", "token-in-body", "service-account", "token-as-username"]
Place = Literal["path", "query", "form", "record", "properties", "body", "header", "call"]
Kind = Literal[
    "text",  # one line
    "code",  # several lines: a script, an expression, CSV
    "whole",
    "number",
    "flag",  # 0 or 1
    "bool",  # true or false
    "choice",
    "date",  # YYYY-MM-DD
    "time",  # seconds or milliseconds since 1970
    "list",  # of texts
    "object",  # names with values
    "files",  # names with contents: texts, or {"base64", "name"}
    "json",  # anything
]
BodyKind = Literal["none", "records", "form", "csv", "json", "raw"]
RecordKind = Literal["imported-event", "tracked-event", "profile", "group", "identify", "alias", "merge"]
AnswerKind = Literal["track", "import", "lookup", "json", "ndjson", "pipeline", "any", "text", "binary"]
Shape = Literal["object", "list", "any"]
Repeat = Literal["safe", "never"]
Budget = Literal["query", "export", "lookup"]


@dataclass(frozen=True)
class Param:
    """One thing that a caller may give.

    `name` is Mixpanel's spelling. `place` is where it goes: into the path, the query, the form body, a header; into the
    record that the body is made of (top level, or its `properties`); it is the whole body, or it says how to call
    (`call`: timeout, retries). `also` are other spellings that are accepted. A `fixed` one always has its default and
    is not asked for. `encoded` says that a list or object is sent as JSON text (else a list repeats its name).
    `secret` ones are masked wherever a call is kept or shown. `pick` names the operation that lists what may be chosen
    (`funnels-list-saved` for a funnel id). A `bool` with `choices` can only be that; its `help` says why. An `advised`
    one may be missing, but our checks advise against it.
    """

    name: str
    place: Place
    kind: Kind
    words: str
    help: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None
    example: Any = None
    least: int | None = None
    most: int | None = None
    also: tuple[str, ...] = ()
    fixed: bool = False
    encoded: bool = True
    secret: bool = False
    pick: str = ""
    advised: bool = False


@dataclass(frozen=True)
class Example:
    """Something to begin with: `params` and, for the JSON side of the form, `body`."""

    words: str
    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Operation:
    """One call that Mixpanel takes.

    `id` is the official specs' operationId where there is one; `also` are the keys of other lists. `group` is the
    heading that people find it under. `auth` lists what Mixpanel accepts, the best first. `operator` is the profile
    operator (`$set`) of a record. `repeat` says whether it may be sent again after an outcome that nobody knows; a
    batch with `$add` or `$append` in it is looked at record by record. `budget` is the limit that it counts towards.
    What it answers on success: `answer` is how that is read, `shape` the type of its JSON, `empty` are the statuses
    whose empty body is the whole answer.
    `note` is what to know before: maintenance, deprecation, no effect under Simplified ID Merge. `writes` is false for
    what only reads.
    """

    id: str
    name: str
    words: str
    group: str
    family: Family
    method: str
    path: str
    auth: tuple[Auth, ...]
    params: tuple[Param, ...] = ()
    body: BodyKind = "none"
    record: RecordKind | None = None
    event: str | None = None
    operator: str | None = None
    answer: AnswerKind = "json"
    shape: Shape = "object"
    empty: tuple[int, ...] = ()
    repeat: Repeat = "safe"
    budget: Budget | None = None
    gzip: bool = False
    writes: bool = True
    note: str = ""
    also: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    reference: str = ""

    def param(self, name: str) -> Param | None:
        """Return the parameter of this name, in any of its spellings."""
        return next((param for param in self.params if name == param.name or name in param.also), None)

    @property
    def asked(self) -> tuple[Param, ...]:
        """The parameters that a person is asked for."""
        return tuple(param for param in self.params if not param.fixed)


@dataclass(frozen=True)
class CallInput:
    """What a caller gave: `params` by name, and `body`: parsed JSON, or text for CSV and raw bodies, or a BodyFile."""

    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Problem:
    """Something that our own checks found.

    `error`: no request can be made of it. `advice`: Mixpanel would drop, cut or refuse it; it is only sent where the
    caller insists. `note`: worth knowing, stops nothing. `field` is where (`params.from_date`,
    `body[0].properties.time`), `index` the record, `sort` the kind of advice (`outbound.request.checks.categories`).
    """

    level: Literal["error", "advice", "note"]
    field: str
    message: str
    index: int | None = None
    sort: str = ""


@dataclass(frozen=True)
class BodyFile:
    """A body on the disk, of so many bytes, called `name` where it comes from; sent from there piece by piece.
    `problems` are what the check of it has found."""

    path: Path
    name: str
    size: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Request:
    """One HTTP request as it leaves. `base` is the server with the family's own path; `auth` is Basic's pair. A `file`
    is sent instead of a body."""

    method: str
    base: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    auth: tuple[str, str] | None = None
    gzip: bool = False
    file: BodyFile | None = None


@dataclass(frozen=True)
class Composed:
    """A request, if one could be made, with everything that the checks found, and the records in its body. A batch of
    an import has them `encoded`; its `records` then say only what each is (an event, which operator). `lines` are the
    lines on which they stand, where each has one of its own."""

    operation: Operation
    given: CallInput
    request: Request | None
    problems: tuple[Problem, ...]
    records: tuple[dict[str, Any], ...] = ()
    encoded: tuple[bytes, ...] = ()
    lines: tuple[int, ...] = ()

    @property
    def outgoing(self) -> Request:
        """The request. Raises ValueError where none could be made."""
        if self.request is None:
            raise ValueError("no request could be made of what was given")
        return self.request

    def stops(self, *, force: bool) -> list[Problem]:
        """Return the problems that keep it from being sent."""
        levels = ("error",) if force else ("error", "advice")
        return [problem for problem in self.problems if problem.level in levels]
