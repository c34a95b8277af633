"""Alembic's way in; the connection comes from `models.schema`, inside a transaction that it opened."""

from alembic import context

from models import db

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.metadata,
    render_as_batch=True,
    compare_type=False,
    transactional_ddl=False,
)
context.run_migrations()
