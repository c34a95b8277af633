"""Which changes of an identity still count: the same end whatever the order, and nothing twice."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from destinations.contract import Change
from destinations.database.order import Mark, step
from tests.destinations.far_end import change
from tests.destinations.histories import History, calls, histories


def played(calls: list[list[Change]], strangers: set[str]) -> dict[str, int | None]:
    """The rows at the end; None is the entry number of a row that somebody else put there."""
    rows: dict[str, int | None] = dict.fromkeys(strangers)
    marks: dict[str, Mark] = {}
    for one in chain.from_iterable(calls):
        made = step(one, marks.get(one.identity, Mark()), is_there=one.identity in rows)
        marks[one.identity] = made.mark
        if made.effect == "put":
            rows[one.identity] = one.entry_number
        elif made.effect in {"remove", "forget"}:
            rows.pop(one.identity, None)
    return rows


@given(st.data(), histories())
def test_the_rows_are_the_cohort_whatever_the_order_and_however_often(data: st.DataObject, history: History) -> None:
    order = data.draw(calls(history.changes))
    assert played(order, set()) == history.truth


@given(st.data(), histories(), st.sets(st.sampled_from(["ada", "bob"])))
def test_rows_of_others_stay(data: st.DataObject, history: History, strangers: set[str]) -> None:
    order = data.draw(calls(history.changes))
    assert played(order, strangers).keys() == history.truth.keys() | strangers


def test_an_identity_that_changes_hands_by_itself_is_no_exit_of_the_log() -> None:
    """Ada's e-mail changes and changes back: neither is in the log."""
    history = [
        change(5, "e1", distinct_id="ada", position=5),
        change(6, "e1", "left", distinct_id="ada", position=0),
        change(7, "e2", distinct_id="ada", position=0),
        change(8, "e2", "left", distinct_id="ada", position=0),
        change(9, "e1", distinct_id="ada", position=0),
    ]
    assert played([history], set()) == {"e1": 1}
    assert played([[*history, change(10, "e1", "left", distinct_id="ada", position=10)]], set()) == {}


def test_somebody_else_may_take_over_an_identity_that_was_left() -> None:
    history = [
        change(5, "e1", distinct_id="ada", position=5),
        change(9, "e1", "left", distinct_id="ada", position=9),
        change(10, "e1", distinct_id="bob", position=0),
    ]
    assert played([history], set()) == {"e1": 1}


def test_what_was_erased_is_forgotten_and_may_begin_anew() -> None:
    erased = change(6, "ada", "erased", position=0)
    assert step(erased, Mark(5, "entered", "ada", 1, ours=True), is_there=True).mark == Mark()
    assert played([[change(5), erased]], {"ada"}) == {}
