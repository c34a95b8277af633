"""A crowd of any size without a list of it: person `n` is a function of `n`, and so is the order in which they come."""

from collections.abc import Iterator
from hashlib import md5
from math import gcd

from benchmarks.pages import PAGE, PROJECT

FIRST = ("Ada", "Bob", "Chidi", "Dana", "Emeka", "Fatma", "Goro", "Hana", "Ines", "Jonas", "Kofi", "Lena", "Mei")
LAST = ("Adams", "Baker", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kim")
PLANS = ("free", "pro", "team", "enterprise")
CITIES = ("Berlin", "Lagos", "Lima", "Osaka", "Oslo", "Pune", "Quito", "Seoul")
STRIDE = 2_654_435_761  # a prime: walking a crowd by it meets everybody once, nobody beside a neighbour


def distinct_id(number: int) -> str:
    """The id of person `number`: a random UUID's look, and always the same."""
    digest = md5(b"%d" % number, usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def member(number: int, version: int = 0) -> str:
    """The member's JSON, as exported; another `version` is another profile."""
    one = distinct_id(number)
    return (
        f'{{"mixpanel_distinct_id":"{one}","email":"{one[:13]}@example.com","first_name":"{FIRST[number % 13]}",'
        f'"last_name":"{LAST[number % 11]}","phone_number":"+49 30 {number % 10_000_000}",'
        f'"plan":"{PLANS[number % 4]}","city":"{CITIES[number % 8]}","seats":{number % 100 + 100 * version}}}'
    )


def body(
    action: str, cohort: str, session: str, page: int, total: int, people: range | list[int], version: int = 0
) -> bytes:
    """One call of Mixpanel that names these people."""
    members = ",".join([member(one, version) for one in people])
    return (
        f'{{"action":"{action}","parameters":{{"mixpanel_project_id":"{PROJECT}","mixpanel_cohort_id":"{cohort}",'
        f'"mixpanel_cohort_name":"Cohort {cohort}","mixpanel_cohort_description":"made for measuring",'
        f'"mixpanel_session_id":"{session}","page_info":{{"total_pages":{total},"page_count":{page}}},'
        f'"members":[{members}]}}}}'
    ).encode()


def shuffled(people: int, turn: int = 0) -> Iterator[list[int]]:
    """Everybody once, a page at a time, in an order in which no page is a stretch of the table; each `turn` has an
    order of its own. Rising order would flatter a database whose rows lie as they came."""
    stride = STRIDE + 2 * turn
    while gcd(stride, people) > 1:
        stride += 1
    for start in range(0, people, PAGE):
        yield [place * stride % people for place in range(start, min(start + PAGE, people))]
