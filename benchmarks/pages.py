"""Webhook bodies as Mixpanel would send them: 1,000 members, some 210 KB a page."""

import json
import random
import uuid
from collections.abc import Sequence

PROJECT = "1"
PAGE = 1000

PLANS = ("free", "pro", "team", "enterprise")
CITIES = ("Berlin", "Lagos", "Lima", "Osaka", "Oslo", "Pune", "Quito", "Seoul")


def distinct_ids(count: int, seed: int) -> list[str]:
    dice = random.Random(seed)
    return [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(count)]


def member(distinct_id: str, version: int = 0) -> dict[str, object]:
    """A member as exported; another `version` is another profile."""
    dice = random.Random(f"{distinct_id}{version}")
    return {
        "mixpanel_distinct_id": distinct_id,
        "email": f"{distinct_id[:13]}@example.com",
        "first_name": "Ada" if version == 0 else f"Ada {version}",
        "last_name": "Example",
        "phone_number": f"+49 30 {dice.randrange(10**7)}",
        "plan": dice.choice(PLANS),
        "city": dice.choice(CITIES),
        "seats": dice.randrange(100),
    }


def body(
    action: str, cohort: str, session: str, page: int, total: int, ids: Sequence[str], versions: Sequence[int] = ()
) -> bytes:
    members = [member(one, versions[place] if versions else 0) for place, one in enumerate(ids)]
    parameters = {
        "mixpanel_project_id": PROJECT,
        "mixpanel_cohort_id": cohort,
        "mixpanel_cohort_name": "Bench",
        "mixpanel_cohort_description": "",
        "mixpanel_session_id": session,
        "page_info": {"total_pages": total, "page_count": page},
        "members": members,
    }
    return json.dumps({"action": action, "parameters": parameters}).encode()


def sliced(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
