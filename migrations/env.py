"""Alembic's way in; the connection comes from `models.maintenance.schema`. On SQLite it is inside a transaction,
which covers all
migrations; on PostgreSQL each migration has its own."""

from alembic import context

from models import db

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    inside_transaction=connection is not None and connection.in_transaction(),  # see build_index in schema.py
    target_metadata=db.metadata,
    render_as_batch=True,
    compare_type=False,
    transactional_ddl=False,
)
context.run_migrations()
