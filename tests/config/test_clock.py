"""Times: whole milliseconds inside, ISO 8601 outside."""

import pytest

from config.clock import iso, now


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_714_558_530_123, "2024-05-01T10:15:30.123Z"),
        (1_714_558_530_999, "2024-05-01T10:15:30.999Z"),
        (None, None),
    ],
)
def test_a_moment_is_written_in_utc_to_the_millisecond(milliseconds: int | None, written: str | None) -> None:
    assert iso(milliseconds) == written


def test_now_is_in_this_century() -> None:
    assert 1_700_000_000_000 < now() < 4_102_444_800_000
