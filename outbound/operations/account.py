"""What credentials open, and marks on reports (mixpanel-facts 2.2, 3.15)."""

from outbound.operations.types import Example, Operation, Param

_WHEN = 'Date and time in UTC, as "2026-11-24 09:30:00".'
_PATH = "/projects/{project_id}/annotations"
_PROJECT = Param("project_id", "path", "whole", "Project id", fixed=True)
_ID = Param(
    "annotation_id",
    "path",
    "whole",
    "Annotation",
    "Its id.",
    required=True,
    example=17,
    least=1,
    also=("annotationId",),
)

OPERATIONS = (
    Operation(
        "me",
        "Who am I",
        "What Mixpanel knows of the service account. The cheapest way to see whether it works.",
        "Account",
        "app",
        "GET",
        "/me",
        ("service-account",),
        answer="json",
        writes=False,
        examples=(Example("The service account"),),
    ),
    Operation(
        "list-annotations",
        "List annotations",
        "The notes on the time line of reports.",
        "Annotations",
        "app",
        "GET",
        _PATH,
        ("service-account",),
        params=(
            Param("fromDate", "query", "text", "From", _WHEN, also=("from_date",)),
            Param("toDate", "query", "text", "To", _WHEN, also=("to_date",)),
            _PROJECT,
        ),
        writes=False,
        examples=(Example("All of them"),),
    ),
    Operation(
        "create-annotation",
        "Create an annotation",
        "Put a note on the time line of reports: a release, a campaign.",
        "Annotations",
        "app",
        "POST",
        _PATH,
        ("service-account",),
        params=(
            Param("date", "record", "text", "When", _WHEN, required=True, example="2026-11-24 09:30:00"),
            Param("description", "record", "text", "Note", required=True, example="Version 2 is out"),
            _PROJECT,
        ),
        body="json",
        repeat="never",
        examples=(Example("A release", {"date": "2026-11-24 09:30:00", "description": "Version 2 is out"}),),
    ),
    Operation(
        "delete-annotation",
        "Delete an annotation",
        "Remove a note from the time line of reports.",
        "Annotations",
        "app",
        "DELETE",
        _PATH + "/{annotation_id}",
        ("service-account",),
        params=(_ID, _PROJECT),
        empty=(204,),
        examples=(Example("One note", {"annotation_id": 17}),),
    ),
)
