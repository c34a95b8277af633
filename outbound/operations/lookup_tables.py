"""Lookup tables (mixpanel-facts 3.7)."""

from outbound.operations.common_params import PROJECT_ID
from outbound.operations.types import Example, Operation, Param

_ID = Param(
    "id",
    "path",
    "text",
    "Lookup table",
    "Its id: list the lookup tables to find it.",
    required=True,
    example="2f1c7a5e-4a0f-4c0d-9b8e-5d7d6c1e2a11",
    also=("lookupTableId", "lookup_table_id"),
    pick="list-lookup-tables",
)
_CSV = Param(
    "csv",
    "body",
    "code",
    "Table",
    "CSV; the first row names the columns, the first column is the key, unique and never empty.",
    required=True,
    also=("data", "body"),
)
_EXAMPLE = {"id": "2f1c7a5e-4a0f-4c0d-9b8e-5d7d6c1e2a11"}

OPERATIONS = (
    Operation(
        "list-lookup-tables",
        "List lookup tables",
        "All lookup tables of the project, with their ids.",
        "Lookup tables",
        "api",
        "GET",
        "/lookup-tables",
        ("service-account",),
        params=(PROJECT_ID,),
        answer="lookup",
        writes=False,
        also=("listLookupTables",),
        examples=(Example("All of them"),),
        reference="list-lookup-tables",
    ),
    Operation(
        "replace-lookup-table",
        "Replace a lookup table",
        "Put these rows in the place of all rows of a table. All are taken, or none.",
        "Lookup tables",
        "api",
        "PUT",
        "/lookup-tables/{id}",
        ("service-account",),
        params=(_ID, _CSV, PROJECT_ID),
        body="csv",
        answer="lookup",
        budget="lookup",
        gzip=True,
        note="Mixpanel takes 100 of these calls in 24 hours, at most 100 MB each.",
        also=("replaceLookupTable",),
        examples=(Example("Two products", _EXAMPLE, "sku,name,price\nA-1,Desk,249\nA-2,Chair,129\n"),),
        reference="replace-lookup-table",
    ),
    Operation(
        "delete-lookup-table",
        "Delete a lookup table",
        "Mixpanel documents no such call; it can only be done in its own pages.",
        "Lookup tables",
        "api",
        "DELETE",
        "/lookup-tables/{id}",
        ("service-account",),
        params=(_ID, PROJECT_ID),
        answer="lookup",
        empty=(204,),
        repeat="never",
        note="Not in Mixpanel's official API: expect it to be refused. Delete tables in Mixpanel, under Lexicon.",
        also=("deleteLookupTable",),
        examples=(Example("One table", _EXAMPLE),),
    ),
)
