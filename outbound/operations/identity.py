"""Who is the same person: identify, alias, merge (mixpanel-facts 3.6)."""

from dataclasses import replace

from outbound.operations.common_params import (
    DISTINCT_ID,
    NO_GEOLOCATION,
    PROJECT_ID,
    REDIRECT,
    STRICT,
    USE_TOKEN,
    VERBOSE,
    in_form,
)
from outbound.operations.types import Example, Operation, Param

NO_EFFECT = "It has no effect in projects with Simplified ID Merge, the default since April 2024."

_IDENTIFY = Operation(
    "create-identity",
    "Identify",
    "Say that an anonymous id and an identified one are the same person.",
    "Identity",
    "api",
    "POST",
    "/track",
    ("token-in-body",),
    params=(
        Param(
            "$identified_id",
            "properties",
            "text",
            "Identified id",
            "The id after sign-in.",
            required=True,
            also=("identified_id", "identifiedId", "identifiedID"),
        ),
        Param(
            "$anon_id",
            "properties",
            "text",
            "Anonymous id",
            "A UUID (version 4) that was not merged yet.",
            required=True,
            also=("anon_id", "anonId", "anonID"),
        ),
        in_form(STRICT),
        in_form(VERBOSE),
        in_form(NO_GEOLOCATION),
        REDIRECT,
    ),
    body="form",
    record="identify",
    event="$identify",
    answer="track",
    note=NO_EFFECT,
    also=("createIdentity",),
    examples=(
        Example(
            "An anonymous visitor signs in",
            {"$identified_id": "test-user-1", "$anon_id": "3e2a0d22-7465-4dc3-a2ab-56f8762e1a29"},
        ),
    ),
    reference="create-identity",
)

OPERATIONS = (
    _IDENTIFY,
    replace(
        _IDENTIFY,
        id="identity-create-alias",
        name="Create an alias",
        words="Give a known id a second name. An alias belongs to one id only.",
        params=(
            replace(DISTINCT_ID, help="The id that exists."),
            Param("alias", "properties", "text", "Alias", "The new name.", required=True),
            *_IDENTIFY.params[2:],
        ),
        record="alias",
        event="$create_alias",
        also=("createAlias",),
        examples=(Example("A second name", {"distinct_id": "test-user-1", "alias": "user-alias-67890"}),),
        reference="identity-create-alias",
    ),
    Operation(
        "identity-merge",
        "Merge two ids",
        "Make one person of two ids. This cannot be undone.",
        "Identity",
        "api",
        "POST",
        "/import",
        ("service-account", "token-as-username"),
        params=(
            Param(
                "$distinct_ids",
                "properties",
                "list",
                "The two ids",
                "Exactly two.",
                required=True,
                least=2,
                most=2,
                also=("distinct_ids", "distinctIds"),
            ),
            USE_TOKEN,
            STRICT,
            PROJECT_ID,
        ),
        body="records",
        record="merge",
        event="$merge",
        answer="import",
        note=NO_EFFECT + " It cannot be undone.",
        examples=(Example("Two ids of one person", {"$distinct_ids": ["test-user-1", "test-user-2"]}),),
        reference="identity-merge",
    ),
)
