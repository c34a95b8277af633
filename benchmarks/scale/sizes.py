"""Bar 2: a diff of a thousand costs the same whether its cohort has ten thousand members or ten million."""

from benchmarks.pages import PAGE
from benchmarks.scale.crowd import body
from benchmarks.scale.refresh import timed
from benchmarks.scale.report import Verdicts, middle, percentile
from benchmarks.scale.stage import Stage

SMALL = 10_000
ROUNDS = 100  # of four calls: both cohorts, removed and added
GOAL = 1.5


def measure(stage: Stage, people: int, verdicts: Verdicts) -> None:
    """The cohorts take turns, call by call, so that both meet the same machine; the people are the same ones."""
    stage.connect("small")
    crowd = [number * (people // SMALL) for number in range(SMALL)]
    times: dict[str, list[float]] = {"small": [], "big": []}
    with stage.serving() as port:
        senders = {cohort: stage.client(port, cohort).page for cohort in times}
        for page in range(SMALL // PAGE):
            some = crowd[page * PAGE : (page + 1) * PAGE]
            senders["small"](body("members", "small", "first", page + 1, SMALL // PAGE, some))
        for number in range(ROUNDS):
            start = number % (SMALL // PAGE) * PAGE
            some = crowd[start : start + PAGE]
            for action in ("remove_members", "add_members"):
                for cohort, send in senders.items():
                    one = body(action, cohort, f"sizes-{action}-{number}", 1, 1, some)
                    times[cohort] += timed(send, [one])
    print(f"\ndiffs of 1,000 by the size of their cohort\n{'members':>12}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
    for cohort, size in (("small", SMALL), ("big", people)):
        found = times[cohort]
        print(f"{size:>12,}{middle(found):9.1f}{percentile(found, 95):9.1f}{percentile(found, 99):9.1f}", flush=True)
    verdicts.at_most(
        "diffs, the large cohort's p50 over the small one's", middle(times["big"]) / middle(times["small"]), GOAL
    )
