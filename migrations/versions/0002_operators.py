"""operators, the removal guard, alerts, and what the dashboard looks things up by"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.maintenance.schema import build_index
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for field in ('email', 'first_name', 'last_name'):
        known = sa.text(f'{field} IS NOT NULL')
        build_index(f'ix_person_{field}', 'person', [sa.text(f'lower({field})'), 'id'], postgresql_where=known, sqlite_where=known)

    op.create_table('alert',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('title', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('message', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert'))
    )
    op.create_index(op.f('ix_alert_at'), 'alert', ['at'], unique=False)

    op.create_table('alert_state',
    sa.Column('subject', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.Column('turns', sa.Text().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('subject', name=op.f('pk_alert_state'))
    )
    op.create_table('audit_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('who', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('before', sa.Text().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.Column('after', sa.Text().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index(op.f('ix_audit_entry_at'), 'audit_entry', ['at'], unique=False)

    op.create_table('operator',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('email', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('sign_ins', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_signed_in_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operator')),
    sa.UniqueConstraint('email', name=op.f('uq_operator_email'))
    )
    op.create_table('simulated_export',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('connection', sa.Text(), nullable=False),
    sa.Column('who', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('report', sa.Text().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_simulated_export'))
    )
    op.create_index(op.f('ix_simulated_export_connection'), 'simulated_export', ['connection'], unique=False)
    op.create_index('ix_simulated_export_open', 'simulated_export', ['id'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'running')"), sqlite_where=sa.text("state IN ('waiting', 'running')"))

    op.add_column('cohort', sa.Column('guard_percent', sa.Integer(), nullable=True))

    op.create_index('ix_failure_cohort', 'failure', ['cohort_id', 'project_id', 'last_at'], unique=False)

    op.add_column('sync_session', sa.Column('held_at', sa.BigInteger(), nullable=True))
    op.add_column('sync_session', sa.Column('would_leave', sa.BigInteger(), nullable=True))
    op.add_column('sync_session', sa.Column('would_leave_of', sa.BigInteger(), nullable=True))
    op.add_column('sync_session', sa.Column('decision', sa.Text(), nullable=True))
    op.create_index('ix_sync_session_cohort_started', 'sync_session', ['cohort_id', 'started_at'], unique=False)
    op.create_index('ix_sync_session_started', 'sync_session', ['started_at'], unique=False)


def downgrade() -> None:
    for field in ('email', 'first_name', 'last_name'):
        op.drop_index(f'ix_person_{field}', 'person')
    op.drop_index('ix_sync_session_started', 'sync_session')
    op.drop_index('ix_sync_session_cohort_started', 'sync_session')
    op.drop_column('sync_session', 'decision')
    op.drop_column('sync_session', 'would_leave_of')
    op.drop_column('sync_session', 'would_leave')
    op.drop_column('sync_session', 'held_at')

    op.drop_index('ix_failure_cohort', 'failure')

    op.drop_column('cohort', 'guard_percent')

    op.drop_index('ix_simulated_export_open', 'simulated_export')
    op.drop_index(op.f('ix_simulated_export_connection'), 'simulated_export')

    op.drop_table('simulated_export')
    op.drop_table('operator')
    op.drop_index(op.f('ix_audit_entry_at'), 'audit_entry')

    op.drop_table('audit_entry')
    op.drop_table('alert_state')
    op.drop_index(op.f('ix_alert_at'), 'alert')

    op.drop_table('alert')
