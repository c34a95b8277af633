"""A connection's choice in words, for pages and the terminal."""

from models.profile_choice import ProfileChoice, Way

WAYS: dict[Way, str] = {"keep": "kept", "drop": "dropped", "hash": "hashed"}
COSTS = (
    "Destinations whose identity is a field that is dropped or hashed park these people, and say so.",
    "Whoever searches for a dropped or hashed value finds nobody by it.",
    "What is dropped cannot be brought back but by Mixpanel: by a full sync of its cohorts.",
    "Where another connection brings the same people of the same project, what arrives last is kept.",
    "Ids are always kept, since they say who is a member: an e-mail that is used as the distinct id stays readable.",
)


def described(choice: ProfileChoice) -> str:
    """Return what is kept, in a sentence without its full stop."""
    if choice.keep is None:
        parts = ["all fields are kept"]
    else:
        parts = [f"kept are {', '.join(choice.keep)} alone" if choice.keep else "no field is kept"]
    for word, way in (("e-mail", choice.email), ("phone", choice.phone)):
        if way != "keep":
            parts.append(f"{word} is {WAYS[way]}")
    parts += [f"{name} goes after {days} day{'' if days == 1 else 's'}" for name, days in choice.days]
    said = "; ".join(parts)
    return said[0].upper() + said[1:]
