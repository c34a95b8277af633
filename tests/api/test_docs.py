"""docs/api.md says what there is."""

import re
from pathlib import Path

from msgspec import json

from blueprints.api.openapi import document

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
DOCUMENT = json.decode(document())


def test_the_table_lists_every_call_and_nothing_else() -> None:
    listed = re.findall(r"^\| `(/\S+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(DOCUMENT["paths"])


def test_every_field_of_every_answer_is_named() -> None:
    fields = {name for schema in DOCUMENT["components"]["schemas"].values() for name in schema["properties"]}
    missing = {name for name in fields if not re.search(rf"[`\"]{name}[`\"]", PAGE)}
    assert missing == {"page", "reason", "value"}  # told in words: a page's number, and why a member was rejected


def test_every_json_example_is_json() -> None:
    examples = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) >= 4
    assert all(isinstance(json.decode(example), dict) for example in examples)
