"""`flask simulate`: plays Mixpanel against the public endpoint, then checks that the API says what was sent."""

import json
import secrets
import time
from contextlib import ExitStack
from itertools import count
from random import Random
from threading import Event
from typing import Any

import click
from flask.cli import with_appcontext

from commands.exit_codes import NOT_ALL
from commands.secret_input import line, seen
from commands.simulate_progress import describe, progress
from config.counts import counted
from runtime import current_runtime
from security import connections as stored
from simulator import access, run
from simulator.comparison import Verdict, compare
from simulator.exports import Cohort
from simulator.mixpanel import Connection, churn
from simulator.plan import PROJECT, Plan, already_there, continued_cohorts, new_cohorts
from simulator.reader import CannotRead, Reader
from simulator.sender import Sender, Tally, Troubles

SHARE = click.FloatRange(0, 1)
SECONDS = click.FloatRange(0)
COUNT = click.IntRange(1)

Login = tuple[str, str]


@click.command("simulate", context_settings={"show_default": True})
@with_appcontext
@click.option("--url", help="Address of the app.  [default: PUBLIC_URL]")
@click.option("--connections", type=COUNT, default=1, help="Connections simulated-1, -2, … that send in parallel.")
@click.option("--username", help="Send as this one connection instead.")
@click.option("--password", callback=seen, help="Its password, seen by all; without one a further one is made.")
@click.option("--password-stdin", is_flag=True, help="Read its password: the first line of standard input.")
@click.option("--token", callback=seen, help="API token for the comparison, seen by all; without one it is made.")
@click.option("--token-stdin", is_flag=True, help="Read that token: the next line of standard input.")
@click.option("--project", default=PROJECT, help="Mixpanel project id that the cohorts belong to.")
@click.option("--cohorts", type=COUNT, default=3, help="Cohorts per connection.")
@click.option("--people", type=click.IntRange(0), default=1000, help="People per cohort.")
@click.option("--cycles", type=COUNT, default=10, help="Sync cycles; the first one brings the first export.")
@click.option("--churn", type=SHARE, default=0.02, help="Share of a cohort that leaves, and enters, per cycle.")
@click.option("--page-size", type=COUNT, default=1000, help="Members per page.")
@click.option("--first", type=click.Choice(["members", "add_members"]), default="members", help="The first export.")
@click.option("--out-of-order/--in-order", default=False, help="Shuffle the pages of an export.")
@click.option("--lose", type=SHARE, default=0.0, help="Share of pages whose answer gets lost and that come again.")
@click.option("--restart", type=SHARE, default=0.0, help="Share of exports that fail midway and start over.")
@click.option("--duplicate", type=SHARE, default=0.0, help="Share of pages that arrive a second time, later.")
@click.option("--seed", help="Makes the run repeatable.  [default: another one each time]")
@click.option("--minutes", type=COUNT, default=30, help="Minutes of Mixpanel's time that a cycle stands for.")
@click.option("--pause", type=SECONDS, default=0.0, help="Seconds to wait between two cycles.")
@click.option("--time-scale", type=SECONDS, default=0.01, help="1 waits between retries as long as Mixpanel does.")
@click.option("--continue", "resume", is_flag=True, help="Go on from the cohorts that the API has, by diffs.")
@click.option("--forever", is_flag=True, help="Send cycles until SIGTERM or SIGINT, without a comparison.")
@click.option("--every", type=SECONDS, default=20.0, help="Seconds between two cycles of --forever.")
@click.option("--wait", type=SECONDS, default=15.0, help="Seconds that a server may take to start.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(**options: Any) -> None:
    """Play Mixpanel over HTTP, then compare what was sent with what the API says. Ends with 4 on any difference."""
    for secret in ("password", "token"):
        if options[f"{secret}_stdin"]:
            options[secret] = line(secret)
    try:
        _simulate(options)
    except (run.NobodyThere, CannotRead, stored.WrongName) as error:
        raise click.ClickException(str(error)) from None


def _simulate(options: dict[str, Any]) -> None:
    runtime = current_runtime()
    url = (options["url"] or runtime.settings.public_url).rstrip("/")
    plan, stop = _plan(options), Event()
    with ExitStack() as ending:
        ending.enter_context(run.stopped_by_signals(stop))
        run.await_server(url, options["wait"])
        reader = Reader(url, options["token"] or ending.enter_context(access.passing_token(runtime)))
        logins = _logins(options)
        cohorts = _cohorts(plan, len(logins), reader, resume=options["resume"])
        connections = [_connection(plan, url, *pair, stop) for pair in zip(logins, cohorts, strict=True) if pair[1]]
        if options["forever"]:
            _play_forever(connections, options["every"], stop)
            return
        started = time.monotonic()
        _play(connections, plan, stop)
        if stop.is_set():
            raise click.ClickException("Stopped before the end; nothing was compared.")
        _conclude(connections, reader, plan, time.monotonic() - started, as_json=options["as_json"])


def _plan(options: dict[str, Any]) -> Plan:
    troubles = Troubles(options["out_of_order"], options["lose"], options["restart"], options["duplicate"])
    same = ("project", "cohorts", "people", "cycles", "churn", "page_size", "first", "minutes", "pause", "time_scale")
    seed = options["seed"] or secrets.token_hex(4)
    return Plan(seed=seed, troubles=troubles, **{name: options[name] for name in same})


def _logins(options: dict[str, Any]) -> list[Login]:
    runtime = current_runtime()
    if options["username"]:
        return [(options["username"], options["password"] or access.password_of(runtime, options["username"]))]
    names = [f"simulated-{number}" for number in range(1, options["connections"] + 1)]
    return [(name, access.password_of(runtime, name)) for name in names]


def _cohorts(plan: Plan, connections: int, reader: Reader, *, resume: bool) -> list[list[Cohort]]:
    if resume:
        found = continued_cohorts(plan, connections, reader)
        if not any(found):
            raise click.ClickException(f"There is no cohort of project {plan.project} to go on from.")
        return found
    made = new_cohorts(plan, connections)
    if plan.first == "add_members" and already_there(reader, [cohort for cohorts in made for cohort in cohorts]):
        raise click.ClickException(
            f"The cohorts of seed {plan.seed} are there already, and add_members would not clear them."
            " Take another --seed, or --continue."
        )
    return made


def _connection(plan: Plan, url: str, login: Login, cohorts: list[Cohort], stop: Event) -> Connection:
    dice = Random(f"{plan.seed}/{login[0]}")
    sender = Sender(url, *login, dice, plan.troubles, time_scale=plan.time_scale, stop=stop)
    return Connection(sender, cohorts, churn(plan.churn), plan.page_size, plan.minutes)


def _play(connections: list[Connection], plan: Plan, stop: Event) -> None:
    syncs = plan.cycles * sum(len(connection.cohorts) for connection in connections)
    with progress(syncs) as show:
        run.play(connections, range(plan.cycles), plan.pause, stop, show)


def _play_forever(connections: list[Connection], every: float, stop: Event) -> None:
    def tell(_tally: Tally) -> None:
        for connection in connections:
            for trouble in connection.forget():
                click.echo(trouble, err=True)

    cohorts = sum(len(connection.cohorts) for connection in connections)
    click.echo(f"{counted(cohorts, 'cohort')}, changing every {every:g} s until this is stopped.", err=True)
    started = time.monotonic()
    run.play(connections, count(), every, stop, tell)
    click.echo(f"Stopped: {describe(run.total(connections), time.monotonic() - started)}", err=True)
    if not stop.is_set():
        raise click.ClickException("Every sync is paused.")


def _conclude(connections: list[Connection], reader: Reader, plan: Plan, seconds: float, *, as_json: bool) -> None:
    verdicts = [compare(reader, cohort) for connection in connections for cohort in connection.cohorts]
    tally = run.total(connections)
    troubles = [said for connection in connections for said in connection.troubles]
    exact = all(verdict.exact for verdict in verdicts)
    if as_json:
        cohorts = [verdict.as_json() for verdict in verdicts]
        summary = vars(tally) | {"seconds": round(seconds, 3), "seed": plan.seed, "exact": exact}
        click.echo(json.dumps(summary | {"cohorts": cohorts, "troubles": troubles}))
    else:
        _print(verdicts, tally, troubles, plan.seed, seconds)
    if not exact:
        click.get_current_context().exit(NOT_ALL)


def _print(verdicts: list[Verdict], tally: Tally, troubles: list[str], seed: str, seconds: float) -> None:
    click.echo(f"{'cohort':<34}{'sent':>10}{'there':>10}{'missing':>10}{'extra':>10}  verdict")
    for verdict in verdicts:
        label = f"{verdict.name} ({verdict.cohort_id})"
        counts = "".join(f"{number:>10,}" for number in (verdict.sent, verdict.there, verdict.missing, verdict.extra))
        click.echo(f"{label:<34}{counts}  {'exact' if verdict.exact else 'different'}")
    for verdict in verdicts:
        for problem in verdict.problems:
            click.echo(f"  {verdict.name} ({verdict.cohort_id}): {problem}")
    for said in troubles:
        click.echo(f"  {said}")
    click.echo(
        f"{describe(tally, seconds)}, {tally.lost_answers:,} lost answers, {counted(tally.restarts, 'restart')},"
        f" {counted(tally.duplicates, 'duplicate')}, {counted(tally.failed_syncs, 'failed sync')}"
        f" in {seconds:.1f} s (seed {seed})"
    )
