"""How `make catalogue` finds words: as Jinja and Babel do, and the nouns behind `counted` and the filter `plural`."""

import ast
from collections.abc import Collection, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from babel.messages.extract import extract_python
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

from config.counts import plural

Found = tuple[Any, ...]  # line, function, message, comments, and Babel's own of Python
COUNTED = {"counted": 1, "counted_to": 2}  # which argument the noun is


def words_of_template(
    file: BinaryIO, keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[Found]:
    """Yield what one template says, in the form that Babel asks for."""
    source = file.read()
    yield from babel_extract(BytesIO(source), [*keywords], [*comment_tags], options)
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source.decode())
    for node in tree.find_all(nodes.Filter):
        if node.name == "plural":
            yield from _noun(node.lineno, [each.value for each in node.args if isinstance(each, nodes.Const)])


def words_of_code(file: BinaryIO, keywords: Any, comment_tags: Collection[str], options: Any) -> Iterator[Found]:
    """Yield what one module says, in the form that Babel asks for."""
    source = file.read()
    yield from extract_python(BytesIO(source), keywords, comment_tags, options)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COUNTED:
            words = node.args[COUNTED[node.func.id] :]
            yield from _noun(node.lineno, [each.value for each in words if isinstance(each, ast.Constant)])


def _noun(line: int, words: list[Any]) -> Iterator[Found]:
    """The pair of a noun, whose plural is given or the usual one."""
    if words:
        yield line, "ngettext", (words[0], words[1] if len(words) > 1 else plural(words[0])), []
