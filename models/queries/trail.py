"""The trail of a person: their changes in the log, from the last one back to the first, each found by its primary key.

The log has no index by person. Instead `membership.change_number` is the number of the person's last change in the
cohort, and `membership_change.previous` that of the one before it; 0 ends the trail.
"""

# Where the trails of one person begin, in all cohorts of a project.
IN_PROJECT = """cohort c CROSS JOIN membership m CROSS JOIN membership_change x
    WHERE c.project_id = :project_id AND m.cohort_id = c.id AND m.person_id = :person
        AND x.cohort_id = m.cohort_id AND x.number = m.change_number"""


def trail(
    columns: tuple[str, ...], select: str, *, begins: str = IN_PROJECT, goes_on: str = "", count: str = ""
) -> str:
    """SQL of `select`, which reads from `trail`. That has `cohort_id`, `previous` and these columns of the log.

    `begins` says where its last changes `x` are found, `goes_on` until when it goes back from a row `t` of it. `count`
    is a condition on a change `x`: the column `counted` then says how many changes have met it so far.
    """
    names = ("cohort_id", "previous", *columns)
    changes = ", ".join(f"x.{name}" for name in names)
    first = further = ""
    if count:
        names = (*names, "counted")
        counted = f"CASE WHEN {count} THEN 1 ELSE 0 END"
        first, further = f", {counted}", f", t.counted + {counted}"
    return f"""
        WITH RECURSIVE trail ({", ".join(names)}) AS (
            SELECT {changes}{first} FROM {begins}
            UNION ALL
            SELECT {changes}{further} FROM trail t CROSS JOIN membership_change x
            WHERE x.cohort_id = t.cohort_id AND x.number = t.previous{f" AND {goes_on}" if goes_on else ""}
        )
        {select}"""  # noqa: S608 - our own words
