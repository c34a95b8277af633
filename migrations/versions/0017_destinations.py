"""destinations, subscriptions, and what became of every message"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('attempt',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('destination_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('subscription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('message_ids', sa.LargeBinary(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('answer', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_attempt_open', 'attempt', ['destination_id', 'started_at'], unique=False, postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'))
    op.create_index(op.f('ix_attempt_started_at'), 'attempt', ['started_at'], unique=False)
    op.create_index('ix_attempt_subscription', 'attempt', ['subscription_id', 'id'], unique=False)
    op.create_table('destination',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('settings', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('sealed_secrets', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('paused_at', sa.BigInteger(), nullable=True),
    sa.Column('probe_at', sa.BigInteger(), nullable=True),
    sa.Column('probes', sa.Integer(), server_default='0', nullable=False),
    sa.Column('failing_since', sa.BigInteger(), nullable=True),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('succeeded_at', sa.BigInteger(), nullable=True),
    sa.Column('wait_until', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.BigInteger(), nullable=True),
    sa.Column('check_told', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destination')),
    sa.UniqueConstraint('name', name=op.f('uq_destination_name')),
    sqlite_autoincrement=True
    )
    op.create_table('holder',
    sa.Column('subscription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('identity', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('entry_number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('subscription_id', 'person_id', name=op.f('pk_holder')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_holder_identity', 'holder', ['subscription_id', 'identity'], unique=False)
    op.create_table('message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('destination_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('subscription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('entry_number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('generation', sa.Integer(), server_default='0', nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('identity', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('lane', sa.BigInteger(), nullable=True),
    sa.Column('priority', sa.SmallInteger(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=True),
    sa.Column('attempts', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=True),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.Column('first_tried_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('report', sa.Text(), nullable=True),
    sa.Column('sealed', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    sa.UniqueConstraint('subscription_id', 'person_id', 'entry_number', 'kind', 'generation', name=op.f('uq_message_subscription_id_person_id_entry_number_kind_generation')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_message_due', 'message', ['subscription_id', 'priority', 'next_at', 'id'], unique=False, postgresql_where=sa.text("state = 'waiting'"), sqlite_where=sa.text("state = 'waiting'"))
    op.create_index('ix_message_lane', 'message', ['destination_id', 'lane', 'id'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'sending')"), sqlite_where=sa.text("state IN ('waiting', 'sending')"))
    op.create_index('ix_message_parked', 'message', ['subscription_id', 'id'], unique=False, postgresql_where=sa.text("state = 'parked'"), sqlite_where=sa.text("state = 'parked'"))
    op.create_index('ix_message_erasure', 'message', ['session_id'], unique=False, postgresql_where=sa.text("origin = 'erasure'"), sqlite_where=sa.text("origin = 'erasure'"))
    op.create_index('ix_message_report', 'message', ['subscription_id', 'id'], unique=False, postgresql_where=sa.text("report = 'due'"), sqlite_where=sa.text("report = 'due'"))
    op.create_index('ix_message_sending', 'message', ['claimed_until'], unique=False, postgresql_where=sa.text("state = 'sending'"), sqlite_where=sa.text("state = 'sending'"))
    op.create_index('ix_message_state', 'message', ['subscription_id', 'state', 'id'], unique=False)
    op.create_table('placement',
    sa.Column('subscription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('identity', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('there', sa.Text(), nullable=False),
    sa.Column('vendor_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('subscription_id', 'identity', name=op.f('pk_placement')),
    sqlite_with_rowid=False
    )
    op.create_table('subscription',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('destination_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('identity', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('country', sa.Text(), nullable=True),
    sa.Column('fields', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('kinds', sa.Text(), nullable=False),
    sa.Column('reentry', sa.Text(), nullable=False),
    sa.Column('start', sa.Text(), nullable=False),
    sa.Column('report_event', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('guard_percent', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('paused_at', sa.BigInteger(), nullable=True),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('start_position', sa.BigInteger(), nullable=False),
    sa.Column('backfill_after', sa.BigInteger(), nullable=True),
    sa.Column('backfill_end', sa.BigInteger(), nullable=True),
    sa.Column('backfill_total', sa.BigInteger(), nullable=True),
    sa.Column('backfill_planned', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('profiles_version', sa.BigInteger(), nullable=False),
    sa.Column('parked_after', sa.BigInteger(), nullable=True),
    sa.Column('holders_after', sa.BigInteger(), nullable=True),
    sa.Column('looked_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_since', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('generation', sa.Integer(), server_default='0', nullable=False),
    sa.Column('held_at', sa.BigInteger(), nullable=True),
    sa.Column('held', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('guard_since', sa.BigInteger(), nullable=True),
    sa.Column('guard_base', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('guard_left', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['destination_id'], ['destination.id'], name=op.f('fk_subscription_destination_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscription')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_subscription_cohort_id'), 'subscription', ['cohort_id'], unique=False)
    op.create_index(op.f('ix_subscription_destination_id'), 'subscription', ['destination_id'], unique=False)
    op.create_table('subscription_counts',
    sa.Column('subscription_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('waiting', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('sending', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('applied', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('accepted', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('rejected', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('parked', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('suppressed', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('coalesced', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('uncertain', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('dead', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('folded', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['subscription_id'], ['subscription.id'], name=op.f('fk_subscription_counts_subscription_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscription_id', name=op.f('pk_subscription_counts'))
    )


def downgrade() -> None:
    op.drop_table('subscription_counts')
    op.drop_index(op.f('ix_subscription_destination_id'), table_name='subscription')
    op.drop_index(op.f('ix_subscription_cohort_id'), table_name='subscription')
    op.drop_table('subscription')
    op.drop_table('placement')
    op.drop_index('ix_message_state', table_name='message')
    op.drop_index('ix_message_sending', table_name='message', postgresql_where=sa.text("state = 'sending'"), sqlite_where=sa.text("state = 'sending'"))
    op.drop_index('ix_message_erasure', table_name='message')
    op.drop_index('ix_message_report', table_name='message', postgresql_where=sa.text("report = 'due'"), sqlite_where=sa.text("report = 'due'"))
    op.drop_index('ix_message_parked', table_name='message', postgresql_where=sa.text("state = 'parked'"), sqlite_where=sa.text("state = 'parked'"))
    op.drop_index('ix_message_lane', table_name='message', postgresql_where=sa.text("state IN ('waiting', 'sending')"), sqlite_where=sa.text("state IN ('waiting', 'sending')"))
    op.drop_index('ix_message_due', table_name='message', postgresql_where=sa.text("state = 'waiting'"), sqlite_where=sa.text("state = 'waiting'"))
    op.drop_table('message')
    op.drop_index('ix_holder_identity', table_name='holder')
    op.drop_table('holder')
    op.drop_table('destination')
    op.drop_index('ix_attempt_subscription', table_name='attempt')
    op.drop_index(op.f('ix_attempt_started_at'), table_name='attempt')
    op.drop_index('ix_attempt_open', table_name='attempt', postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'))
    op.drop_table('attempt')
