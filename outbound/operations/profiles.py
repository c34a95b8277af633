"""Profiles of users and of groups: one operation an operator (mixpanel-facts 3.4, 3.5)."""

from dataclasses import replace
from typing import Any

from outbound.operations.common_params import (
    CALLBACK,
    GROUP_ID,
    GROUP_KEY,
    NO_GEOLOCATION,
    PROFILE_ID,
    REDIRECT,
    STRICT,
    VERBOSE,
)
from outbound.operations.types import Example, Kind, Operation, Param

# operator: its name on a button, what it does, the kind of its value, an example
_OPERATORS: dict[str, tuple[str, str, Kind, Any]] = {
    "$set": ("Set properties", "Give properties these values, whatever they were.", "object", {"plan": "pro"}),
    "$set_once": (
        "Set properties once",
        "Give properties these values where they have none yet.",
        "object",
        {"first_seen": "2026-11-01"},
    ),
    "$add": ("Add to numbers", "Add to numbers; a missing one counts as 0.", "object", {"logins": 1}),
    "$append": (
        "Append to lists",
        "Put a value at the end of a list, also a second time.",
        "object",
        {"orders": "A-1001"},
    ),
    "$remove": ("Remove from lists", "Take a value out of a list.", "object", {"orders": "A-1001"}),
    "$union": (
        "Merge into lists",
        "Put values into a list that are not in it yet.",
        "object",
        {"tags": ["vip", "beta"]},
    ),
    "$unset": ("Remove properties", "Remove properties by their names.", "list", ["plan"]),
}
_OFTEN = (VERBOSE, STRICT, NO_GEOLOCATION)
_TOP = (
    Param("$ip", "record", "text", "IP address", "The place of the profile is found by it."),
    Param("$ignore_time", "record", "bool", "Leave last seen alone", "Yes: $last_seen stays as it is."),
    CALLBACK,
    REDIRECT,
)


def _profile(identifier: str, operator: str, *also: str) -> Operation:
    name, words, kind, example = _OPERATORS[operator]
    value = Param(operator, "record", kind, operator, words, required=True, example=example, also=(operator[1:],))
    return Operation(
        identifier,
        f"Profile: {name[0].lower()}{name[1:]}",
        f"{words} Of one user, or of many with JSON.",
        "User profiles",
        "api",
        "POST",
        "/engage",
        ("token-in-body",),
        params=(PROFILE_ID, value, *_TOP, *_OFTEN),
        body="records",
        record="profile",
        operator=operator,
        answer="track",
        repeat="never" if operator in {"$add", "$append"} else "safe",
        also=also,
        examples=(Example(words.rstrip("."), {"$distinct_id": "test-user-1", operator: example}),),
        reference=identifier,
    )


def _group(identifier: str, operator: str) -> Operation:
    name, words, kind, example = _OPERATORS[operator]
    value = Param(operator, "record", kind, operator, words, required=True, example=example, also=(operator[1:],))
    return Operation(
        identifier,
        f"Group: {name[0].lower()}{name[1:]}",
        f"{words} Of one group, or of many with JSON.",
        "Group profiles",
        "api",
        "POST",
        "/groups",
        ("token-in-body",),
        params=(GROUP_KEY, GROUP_ID, value, *_OFTEN),
        body="records",
        record="group",
        operator=operator,
        answer="track",
        examples=(Example(words.rstrip("."), {"$group_key": "company", "$group_id": "acme", operator: example}),),
        reference=identifier,
    )


_SET = _profile("profile-set", "$set", "createProfile")
_GROUP_SET = _group("group-set-property", "$set")

OPERATIONS = (
    _SET,
    _profile("profile-set-property-once", "$set_once"),
    _profile("profile-numerical-add", "$add"),
    _profile("profile-append-to-list-property", "$append"),
    _profile("profile-remove-from-list-property", "$remove"),
    _profile("user-profile-union", "$union"),
    _profile("profile-delete-property", "$unset"),
    replace(
        _SET,
        id="profile-batch-update",
        name="Profiles: many updates",
        words="Send up to 2,000 updates with any operators, one operator an update.",
        params=(*_TOP[2:], *_OFTEN),
        operator=None,
        also=("updateMultipleProfiles", "updateUserProfile"),
        examples=(
            Example(
                "Two updates",
                body=[
                    {"$distinct_id": "test-user-1", "$set": {"plan": "pro"}},
                    {"$distinct_id": "test-user-2", "$add": {"logins": 1}},
                ],
            ),
        ),
        reference="profile-batch-update",
    ),
    replace(
        _SET,
        id="delete-profile",
        name="Profile: delete",
        words="Delete a profile with all its properties, for good. The events stay.",
        params=(
            PROFILE_ID,
            Param("$delete", "record", "text", "$delete", fixed=True, default=""),
            Param(
                "$ignore_alias",
                "record",
                "bool",
                "Ignore aliases",
                "Yes: deletes this very id, and not the one that it is an alias of.",
                also=("ignore_alias",),
            ),
            CALLBACK,
            REDIRECT,
            *_OFTEN,
        ),
        operator="$delete",
        also=("deleteProfile",),
        examples=(Example("Delete a test user", {"$distinct_id": "test-user-1"}),),
        reference="delete-profile",
    ),
    _GROUP_SET,
    _group("group-set-property-once", "$set_once"),
    _group("group-delete-property", "$unset"),
    _group("group-remove-from-list-property", "$remove"),
    _group("group-union", "$union"),
    replace(
        _GROUP_SET,
        id="group-batch-update",
        name="Groups: many updates",
        words="Send up to 2,000 updates of groups, one operator an update.",
        params=_OFTEN,
        operator=None,
        also=("updateGroupProfile",),
        examples=(
            Example(
                "Two updates",
                body=[
                    {"$group_key": "company", "$group_id": "acme", "$set": {"plan": "pro"}},
                    {"$group_key": "company", "$group_id": "initech", "$unset": ["trial_ends"]},
                ],
            ),
        ),
        reference="group-batch-update",
    ),
    replace(
        _GROUP_SET,
        id="delete-group",
        name="Group: delete",
        words="Delete a group's profile with all its properties, for good.",
        params=(
            GROUP_KEY,
            GROUP_ID,
            Param("$delete", "record", "text", "$delete", fixed=True, default=""),
            VERBOSE,
            NO_GEOLOCATION,
        ),
        operator="$delete",
        examples=(Example("Delete a test group", {"$group_key": "company", "$group_id": "test-company"}),),
        reference="delete-group",
    ),
)
