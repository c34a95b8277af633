"""docs/api.md says what there is."""

import re
from dataclasses import fields
from pathlib import Path

from click import Option
from msgspec import json

from blueprints.api.openapi import document
from commands.tokens import add
from security.token_bounds import LONGEST_DAYS, Bounds

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
DOCUMENT = json.decode(document())


def test_the_table_lists_every_call_and_nothing_else() -> None:
    listed = re.findall(r"^\| `(/\S+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(DOCUMENT["paths"])


def test_every_field_of_every_answer_is_named() -> None:
    fields = {name for schema in DOCUMENT["components"]["schemas"].values() for name in schema["properties"]}
    missing = {name for name in fields if not re.search(rf"[`\"]{name}[`\"]", PAGE)}
    assert missing == {"page", "value"}  # told in words: a page's number, and what stood there of a rejected member


def test_the_bounds_of_a_token_are_told_with_their_options() -> None:
    """Each that `flask tokens add` takes and each that is kept, and that a call beyond it is refused."""
    told = re.findall(r"^\| (.+) \| `(--[a-z-]+)[^`]*`[^|]* \| (40[13]|429) ", PAGE, re.MULTILINE)
    others = {"--scope", "--json"}
    assert {option for _name, option, _status in told} == {
        name for one in add.params if isinstance(one, Option) for name in one.opts
    } - others
    assert len(told) == len(fields(Bounds))
    assert str(LONGEST_DAYS) in PAGE


def test_every_json_example_is_json() -> None:
    examples = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) >= 4
    assert all(isinstance(json.decode(example), dict) for example in examples)
