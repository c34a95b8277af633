"""What a distributed engine would say of a statement: whether it keeps to one cohort or one bucket of people, and
whether it can be run there as it is. Read from the statement alone, by a parser."""

import re
from collections.abc import Iterator
from functools import cached_property

from sqlglot import exp, parse_one
from sqlglot.expressions import Expression

from models.database import db
from models.distribution import DISTRIBUTED

Column = tuple[str, str]  # alias, name
_NAMED = re.compile(r"%\((\w+)\)s")
GIVEN = ("", "")  # a value, beside the columns that are equal to it
_VALUES = exp.Placeholder | exp.Literal | exp.Parameter


def _columns(table: str) -> set[str]:
    return set(db.metadata.tables[table].columns.keys())


class Statement:
    """A statement as the app gives it to psycopg."""

    def __init__(self, sql: str) -> None:
        self.tree = parse_one(_NAMED.sub(r":\1", sql).replace("%%", "%"), dialect="postgres")

    @cached_property
    def sources(self) -> dict[str, str]:
        """The distributed tables that are read or written, by alias."""
        found = (one for one in self.tree.find_all(exp.Table) if one.name in DISTRIBUTED)
        return {one.alias or one.name: one.name for one in found}

    @cached_property
    def spans(self) -> set[str]:
        """The tables of which it must ask every bucket."""
        return {table for alias, table in self.sources.items() if not self._is_confined(alias, table)}

    @cached_property
    def changes(self) -> set[str]:
        """Why an engine such as Citus does not run it as it is. What goes to one node as a whole it does."""
        reasons = {
            "moves a row": any(name == DISTRIBUTED[table] for table, name in self._set()),
            "writes two tables": len(self._written()) > 1,
        }
        if not self._is_single:
            reasons |= {
                "reads people and cohorts at once": self._open_families() > 1,
                "probes from row to row": any(map(self._is_probe, self.tree.find_all(exp.Lateral))),
                "asks for each row of elsewhere": any(
                    map(self._is_correlated, self.tree.find_all(exp.Subquery, exp.Exists))
                ),
                "walks from row to row": self._is_recursive(),
                "adds to rows of elsewhere": any(map(self._adds, self.tree.find_all(exp.Join))),
                "locks rows of every bucket": bool(self.spans) and self.tree.find(exp.Lock) is not None,
            }
        return {reason for reason, holds in reasons.items() if holds}

    @property
    def _is_single(self) -> bool:
        """Whether all of it is about one given cohort, or keys of one bucket that are given."""
        one_way = len({DISTRIBUTED[table] for table in self.sources.values()}) == 1
        return one_way and all(GIVEN in self._known(alias, table) for alias, table in self.sources.items())

    @property
    def writes(self) -> bool:
        """Whether it inserts, which an engine plans only when it does it."""
        return self.tree.find(exp.Insert) is not None

    # --- which columns are equal to what

    def _is_confined(self, alias: str, table: str) -> bool:
        if any(self._inserts(one, table, DISTRIBUTED[table]) for one in self.tree.find_all(exp.Insert)):
            return True
        return any(one == GIVEN or self._is_few(one[0]) for one in self._known(alias, table))

    def _known(self, alias: str, table: str) -> set[Column]:
        """Everything that the column of a table is equal to."""
        known: set[Column] = {(alias, DISTRIBUTED[table])}
        while new := {b for a, b in self._equal if a in known} - known:
            known |= new
        return known

    def _is_few(self, alias: str) -> bool:
        """Whether rows are asked for from elsewhere, one by one: a list that was given, what was found before, or rows
        of a table that keep to a value."""
        if alias in self.sources or alias == "other" or alias.isdigit():
            return False
        tables = {one.alias or one.name for one in self.tree.find_all(exp.Table) if one.name in db.metadata.tables}
        return alias not in tables or any(one[0] == alias and other == GIVEN for one, other in self._equal)

    @staticmethod
    def _inserts(insert: exp.Insert, table: str, column: str) -> bool:
        target = insert.this
        named = {one.name for one in target.expressions} if isinstance(target, exp.Schema) else set()
        return isinstance(target, exp.Schema) and target.this.name == table and column in named

    @cached_property
    def _equal(self) -> set[tuple[Column, Column]]:
        pairs = {pair for one in self.tree.find_all(exp.EQ, exp.In) if _is_demanded(one) for pair in self._pairs(one)}
        return pairs | {(b, a) for a, b in pairs}

    def _pairs(self, demand: Expression) -> Iterator[tuple[Column, Column]]:
        if isinstance(demand, exp.In):
            if demand.expressions and all(isinstance(one.unnest(), _VALUES) for one in demand.expressions):
                yield self._side(demand.this), GIVEN
        else:
            yield self._side(demand.this), self._side(demand.expression)

    def _side(self, side: Expression) -> Column:
        while isinstance(side, exp.Cast | exp.Paren | exp.Collate | exp.Any):
            side = side.this
        if isinstance(side, exp.Column):
            return side.table or self._owner(side), side.name
        return GIVEN if isinstance(side, _VALUES) else (str(id(side)), "expression")

    def _owner(self, column: exp.Column) -> str:
        """Find the table of the same SELECT, UPDATE or DELETE that has a column which is named without one."""
        scope = column.find_ancestor(exp.Select, exp.Update, exp.Delete)
        for table in scope.find_all(exp.Table) if scope else ():
            if table.name in DISTRIBUTED and column.name in _columns(table.name):
                return str(table.alias or table.name)
        return "other"

    # --- what an engine cannot do

    def _open_families(self) -> int:
        """Count the ways of distribution that lie open in one statement. A subquery or a CTE that is cut by LIMIT, or
        materialised, is run before and by itself."""
        inside = {one for cut in self._run_before() for one in cut.find_all(exp.Table)}
        tables = (one for one in self.tree.find_all(exp.Table) if one.name in DISTRIBUTED and one not in inside)
        return len({DISTRIBUTED[one.name] for one in tables})

    def _run_before(self) -> Iterator[Expression]:
        for one in self.tree.find_all(exp.Subquery, exp.CTE):
            is_cut = isinstance(one.this, exp.Select) and one.this.args.get("limit") is not None
            if is_cut or one.args.get("materialized"):
                yield one

    def _is_probe(self, lateral: exp.Lateral) -> bool:
        return any(one.name in DISTRIBUTED for one in lateral.find_all(exp.Table))

    def _adds(self, join: exp.Join) -> bool:
        """Whether rows that lie elsewhere get one of a distributed table, or none."""
        if join.side != "LEFT" or not isinstance(join.this, exp.Table) or join.this.name not in DISTRIBUTED:
            return False
        select = join.find_ancestor(exp.Select)
        first = select.args["from_"].this if select else None
        return not (isinstance(first, exp.Table) and DISTRIBUTED.get(first.name) == DISTRIBUTED[join.this.name])

    def _is_correlated(self, asked: Expression) -> bool:
        if asked.find_ancestor(exp.From, exp.Join) or not any(t.name in DISTRIBUTED for t in asked.find_all(exp.Table)):
            return False
        own = {one.alias or one.name for one in asked.find_all(exp.Table, exp.Subquery)}
        return any(column.table not in own for column in asked.find_all(exp.Column) if column.table)

    def _is_recursive(self) -> bool:
        return any(
            one.args.get("recursive") and any(table.name in DISTRIBUTED for table in one.find_all(exp.Table))
            for one in self.tree.find_all(exp.With)
        )

    def _written(self) -> set[str]:
        return {one.this.this.name for one in self.tree.find_all(exp.Insert) if isinstance(one.this, exp.Schema)}

    def _set(self) -> Iterator[tuple[str, str]]:
        """The columns that an UPDATE of a distributed table sets."""
        for update in self.tree.find_all(exp.Update):
            if update.this is not None and update.this.name in DISTRIBUTED:
                yield from ((update.this.name, one.this.name) for one in update.expressions)


def _is_demanded(condition: Expression) -> bool:
    """Whether it must hold of every row: it is among the ANDs of a WHERE or of a join's ON."""
    below, above = condition, condition.parent
    while isinstance(above, exp.And | exp.Paren):
        below, above = above, above.parent
    return isinstance(above, exp.Where) or (isinstance(above, exp.Join) and above.args.get("on") is below)
