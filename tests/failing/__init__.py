"""Tests that break things for real."""

import pytest

# These assert too, and should say what they saw.
pytest.register_assert_rewrite("tests.failing.books", "tests.failing.sender")
