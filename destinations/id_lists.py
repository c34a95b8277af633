"""Statements over many ids, which are given as one JSON list: the same statement in the words of each database."""

from sqlalchemy import TextClause, text

_LIST = {
    "sqlite": "(SELECT value FROM json_each(:{0}))",
    "postgresql": "(SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:{0} AS json)))",
}


def for_each_database(names: str, sql: str) -> dict[str, TextClause]:
    """Return the statement by dialect. Each of `names`, which blanks part, stands in braces in `sql` for the numbers of
    the parameter of that name."""
    return {
        dialect: text(sql.format(**{name: written.format(name) for name in names.split()}))
        for dialect, written in _LIST.items()
    }
