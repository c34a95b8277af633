"""The terminal: everything an operator does without a browser."""

from flask import Flask

from commands import (
    alerts,
    backup,
    connections,
    db,
    demo,
    destinations,
    doctor,
    errors,
    imports,
    messages,  # noqa: F401 - commands of subscriptions
    migrate_data,
    minimisation,  # noqa: F401 - commands of connections
    operators,
    people,
    projects,
    saved,
    secret_key,
    secrets,
    send,
    serve,
    serve_pool,
    simulate,
    stand_in,
    subscription_terms,  # noqa: F401 - a command of subscriptions
    subscriptions,
    tokens,
    version,
    work,
)

# What brings tables, copies or tells how things are works with any key, and so does what needs no database.
KEYLESS = {"backup", "db", "doctor", "migrate-data", "restore", "secret-key", "stand-in", "version"}

COMMANDS = [
    errors.told(command, keyed=command.name not in KEYLESS)
    for command in (
        connections.group,
        tokens.group,
        operators.group,
        people.group,
        projects.group,
        destinations.group,
        subscriptions.group,
        secret_key.group,
        secrets.group,
        alerts.group,
        send.command,
        saved.group,
        imports.command,
        send.list_command,
        db.group,
        backup.backup_command,
        backup.restore_command,
        migrate_data.command,
        work.command,
        serve.command,
        serve_pool.command,
        doctor.command,
        simulate.command,
        stand_in.command,
        demo.command,
        version.command,
    )
]


def init_app(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)
