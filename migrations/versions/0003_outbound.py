"""calling Mixpanel: projects, deliveries, budgets, imports, comparisons"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('budget_call',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('project', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('family', sa.Text(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_budget_call'))
    )
    op.create_index('ix_budget_call_window', 'budget_call', ['project', 'family', 'started_at'], unique=False)
    op.create_table('comparison',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('project', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('who', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('report', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comparison'))
    )
    op.create_index(op.f('ix_comparison_cohort_id'), 'comparison', ['cohort_id'], unique=False)
    op.create_table('delivery',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('project', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('operation', sa.Text(), nullable=False),
    sa.Column('who', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('given', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('request', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.Column('words', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('accepted', sa.Integer(), nullable=True),
    sa.Column('failed', sa.Integer(), nullable=True),
    sa.Column('failed_records', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('trail', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('duration_ms', sa.BigInteger(), nullable=True),
    sa.Column('import_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('first_place', sa.BigInteger(), nullable=True),
    sa.Column('last_place', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery'))
    )
    op.create_index(op.f('ix_delivery_at'), 'delivery', ['at'], unique=False)
    op.create_index('ix_delivery_import', 'delivery', ['import_id', 'first_place'], unique=False, postgresql_where=sa.text('import_id IS NOT NULL'), sqlite_where=sa.text('import_id IS NOT NULL'))
    op.create_index('ix_delivery_open', 'delivery', ['id'], unique=False, postgresql_where=sa.text('verdict IS NULL'), sqlite_where=sa.text('verdict IS NULL'))
    op.create_index('ix_delivery_operation', 'delivery', ['operation', 'id'], unique=False)
    op.create_index('ix_delivery_project', 'delivery', ['project', 'id'], unique=False)
    op.create_table('import_job',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('project', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('operation', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('path', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('fingerprint', sa.Text(), nullable=True),
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('settings', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('who', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('message', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('total', sa.BigInteger(), nullable=True),
    sa.Column('read', sa.BigInteger(), nullable=False),
    sa.Column('accepted', sa.BigInteger(), nullable=False),
    sa.Column('refused', sa.BigInteger(), nullable=False),
    sa.Column('uncertain', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('worked_ms', sa.BigInteger(), nullable=False),
    sa.Column('claimed_by', sa.Text(), nullable=True),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_job'))
    )
    op.create_index('ix_import_job_open', 'import_job', ['id'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'running')"), sqlite_where=sa.text("state IN ('waiting', 'running')"))
    op.create_table('project',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('region', sa.Text(), nullable=False),
    sa.Column('mixpanel_project_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('sealed_token', sa.Text(), nullable=True),
    sa.Column('sealed_username', sa.Text(), nullable=True),
    sa.Column('sealed_secret', sa.Text(), nullable=True),
    sa.Column('integration_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('workspace_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('checked_at', sa.BigInteger(), nullable=True),
    sa.Column('checked', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_project')),
    sa.UniqueConstraint('name', name=op.f('uq_project_name'))
    )
    op.create_table('import_failure',
    sa.Column('import_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('place', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('field', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('reason', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('record', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['import_job.id'], name=op.f('fk_import_failure_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'place', name=op.f('pk_import_failure'))
    )
    op.create_table('landing',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('event', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('distinct_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('insert_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('event_at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('looks', sa.Integer(), nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=True),
    sa.Column('visible_at', sa.BigInteger(), nullable=True),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_landing_delivery_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_landing')),
    sa.UniqueConstraint('delivery_id', name=op.f('uq_landing_delivery_id'))
    )
    op.create_index(op.f('ix_landing_next_at'), 'landing', ['next_at'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_landing_next_at'), table_name='landing')
    op.drop_table('landing')
    op.drop_table('import_failure')
    op.drop_table('project')
    op.drop_index('ix_import_job_open', table_name='import_job', postgresql_where=sa.text("state IN ('waiting', 'running')"), sqlite_where=sa.text("state IN ('waiting', 'running')"))
    op.drop_table('import_job')
    op.drop_index('ix_delivery_project', table_name='delivery')
    op.drop_index('ix_delivery_operation', table_name='delivery')
    op.drop_index('ix_delivery_open', table_name='delivery', postgresql_where=sa.text('verdict IS NULL'), sqlite_where=sa.text('verdict IS NULL'))
    op.drop_index('ix_delivery_import', table_name='delivery', postgresql_where=sa.text('import_id IS NOT NULL'), sqlite_where=sa.text('import_id IS NOT NULL'))
    op.drop_index(op.f('ix_delivery_at'), table_name='delivery')
    op.drop_table('delivery')
    op.drop_index(op.f('ix_comparison_cohort_id'), table_name='comparison')
    op.drop_table('comparison')
    op.drop_index('ix_budget_call_window', table_name='budget_call')
    op.drop_table('budget_call')
