"""The raw request: whatever else Mixpanel takes, at its own servers only; and the same for pipelines, with their
addresses filled in (seeds/003, mixpanel-facts 3.1)."""

from dataclasses import replace

from outbound.operations.pipelines import DEPRECATED, GROUP
from outbound.operations.types import Example, Operation, Param

_PLACES = "{{token}}, {{project_id}} and {{workspace_id}} stand for the project's own."

_RAW = Operation(
    "raw-request",
    "Raw request",
    "Any method and path on Mixpanel's servers of the project's region.",
    "Raw",
    "api",
    "GET",
    "",
    ("service-account", "token-as-username", "none"),
    params=(
        Param(
            "method",
            "call",
            "choice",
            "Method",
            choices=("GET", "POST", "PUT", "PATCH", "DELETE"),
            default="GET",
            required=True,
        ),
        Param(
            "family",
            "call",
            "choice",
            "Server",
            "Which of Mixpanel's servers the path belongs to.",
            choices=("api", "query", "export", "pipelines", "app"),
            default="api",
        ),
        Param(
            "base_url",
            "call",
            "text",
            "Base URL",
            "Instead of a server above: one of Mixpanel's servers of the project's region.",
            example="https://api.mixpanel.com/",
            also=("baseUrl", "baseURL"),
        ),
        Param(
            "url",
            "call",
            "text",
            "Path",
            "Such as /me, or a whole address on one of Mixpanel's servers.",
            required=True,
            example="/me",
            also=("path",),
        ),
        Param("query", "call", "object", "Query", also=("queryParams", "queryParameter", "query_params")),
        Param("headers", "call", "object", "Headers", also=("header",)),
        Param(
            "auth",
            "call",
            "choice",
            "Sign in with",
            choices=("service-account", "token-as-username", "none"),
            default="service-account",
        ),
        Param("json", "call", "json", "JSON body", f"One kind of body only. {_PLACES}"),
        Param("form", "call", "object", "Form body", "Multipart beside files.", also=("formData", "form_data")),
        Param("text", "call", "code", "Text body", _PLACES, also=("data",)),
        Param(
            "files",
            "call",
            "files",
            "Files",
            "Sent as multipart, 10 MB together at most.",
            also=("fileData", "file_data"),
        ),
        Param(
            "file_names",
            "call",
            "object",
            "File names",
            "For some of the files above.",
            also=("fileDataFileNames", "fileNames"),
        ),
        Param(
            "timeout_ms",
            "call",
            "whole",
            "Time limit (ms)",
            "How long an answer may take.",
            least=1,
            most=600_000,
            also=("timeout",),
        ),
        Param(
            "max_retries",
            "call",
            "whole",
            "Retries",
            "After 5xx and network trouble.",
            least=0,
            most=9,
            default=0,
            also=("maxRetryCount", "maxRetries"),
        ),
        Param(
            "retry_delay_ms",
            "call",
            "whole",
            "Retry delay (ms)",
            "Not with exponential backoff.",
            least=0,
            most=60_000,
            default=0,
            also=("retryDelayMS", "retryDelay", "retryDelayMs"),
        ),
        Param(
            "exponential_backoff",
            "call",
            "bool",
            "Exponential backoff",
            "2 s, doubling up to 60 s.",
            also=("useExponentialBackoff",),
        ),
        Param(
            "retry_all_errors",
            "call",
            "bool",
            "Retry all errors",
            "Also 3xx and 4xx.",
            also=("retryOnAllErrors", "retryAllErrors"),
        ),
        Param(
            "response_type",
            "call",
            "choice",
            "Answer as",
            "json: anything else is no success. binary: kept as a file.",
            choices=("json", "text", "binary"),
            also=("responseType",),
        ),
    ),
    body="raw",
    answer="any",
    repeat="never",
    note="Whatever it does, it does for real; our checks know nothing of it.",
    also=("rawRequest",),
    examples=(
        Example("Who am I", {"method": "GET", "family": "app", "url": "/me"}),
        Example(
            "Event names",
            {"method": "GET", "family": "query", "url": "/events/names", "query": {"type": "general"}},
        ),
    ),
)

_NAME = Param(
    "name",
    "call",
    "text",
    "Pipeline",
    "Its name, put into the body, or into the query of a body that is a text.",
    required=True,
    example="events-daily-gcs",
    pick="list-warehouse-pipeline-jobs",
)


def _preset(param: Param, **known: str) -> Param:
    return replace(param, default=known[param.name], required=True) if param.name in known else param


def _generic(
    identifier: str, name: str, words: str, path: str, key: str, form: dict[str, str], *more: Param
) -> Operation:
    """Describe a raw request to the pipelines, to be filled in further."""
    others = tuple(param for param in _RAW.params if param.name not in {"family", "base_url", "auth"})
    given = {param.name: param.example for param in more}
    return replace(
        _RAW,
        id=identifier,
        name=name,
        words=words,
        group=GROUP,
        family="pipelines",
        params=(*more, *(_preset(other, method="POST", url=path) for other in others)),
        auth=("service-account",),
        note=DEPRECATED,
        also=(key,),
        examples=(Example("As a form", given | {"form": form}),),
    )


OPERATIONS = (
    _RAW,
    _generic(
        "create-generic-pipeline",
        "Create a pipeline by hand",
        "A raw request that creates a pipeline: any body, header and query.",
        "/nessie/pipeline/create",
        "createGenericPipeline",
        {"type": "gcs-raw", "trial": "true", "project_id": "{{project_id}}"},
    ),
    _generic(
        "edit-generic-pipeline",
        "Edit a pipeline by hand",
        "A raw request that edits a pipeline: any body, header and query.",
        "/nessie/pipeline/edit",
        "editGenericPipeline",
        {"events": "Signed up", "project_id": "{{project_id}}"},
        _NAME,
    ),
)
