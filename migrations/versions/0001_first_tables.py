"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_token',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_used_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('digest', name=op.f('uq_api_token_digest')),
    sa.UniqueConstraint('name', name=op.f('uq_api_token_name'))
    )
    op.create_table('cohort',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('project_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('mixpanel_cohort_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('description', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('member_count', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('session_count', sa.BigInteger(), nullable=False),
    sa.Column('change_count', sa.BigInteger(), nullable=False),
    sa.Column('newest_refresh', sa.BigInteger(), nullable=False),
    sa.Column('complete_refresh', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('first_synced_at', sa.BigInteger(), nullable=True),
    sa.Column('last_synced_at', sa.BigInteger(), nullable=True),
    sa.Column('last_call_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cohort')),
    sa.UniqueConstraint('project_id', 'mixpanel_cohort_id', name=op.f('uq_cohort_project_id_mixpanel_cohort_id'))
    )
    op.create_table('connection',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_connection')),
    sa.UniqueConstraint('name', name=op.f('uq_connection_name'))
    )
    op.create_table('failure',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('connection', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('project_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('cohort_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('action', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('message', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('request_id', sa.Text(), nullable=False),
    sa.Column('body_bytes', sa.BigInteger(), nullable=True),
    sa.Column('traceback', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_failure'))
    )
    with op.batch_alter_table('failure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_failure_at'), ['at'], unique=False)

    op.create_table('membership',
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('entered_at', sa.BigInteger(), nullable=False),
    sa.Column('left_at', sa.BigInteger(), nullable=True),
    sa.Column('entry_number', sa.Integer(), nullable=False),
    sa.Column('session_number', sa.BigInteger(), nullable=False),
    sa.Column('change_number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('cohort_id', 'person_id', name=op.f('pk_membership')),
    postgresql_with={'fillfactor': '90'},
    sqlite_with_rowid=False
    )
    op.create_table('membership_change',
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('entered', sa.Boolean(), nullable=False),
    sa.Column('entry_number', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('previous', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('cohort_id', 'number', name=op.f('pk_membership_change')),
    sqlite_with_rowid=False
    )
    op.create_table('person',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('project_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('distinct_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('digest', sa.BigInteger(), nullable=True),
    sa.Column('named_fields', sa.SmallInteger(), nullable=False),
    sa.Column('email', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('first_name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('last_name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('phone_number', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True),
    sa.Column('properties', sa.Text().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('project_id', 'distinct_id', name=op.f('uq_person_project_id_distinct_id')),
    postgresql_with={'fillfactor': '90'}
    )
    op.create_table('sync_page',
    sa.Column('session_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('page', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('body_digest', sa.LargeBinary(), nullable=False),
    sa.Column('received', sa.Integer(), nullable=False),
    sa.Column('entered', sa.Integer(), nullable=False),
    sa.Column('left_count', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('replays', sa.Integer(), nullable=False),
    sa.Column('applied', sa.Boolean(), nullable=False),
    sa.Column('seen', sa.LargeBinary(), nullable=False),
    sa.Column('rejected_members', sa.Text().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('session_id', 'page', name=op.f('pk_sync_page')),
    sqlite_with_rowid=False
    )
    op.create_table('cohort_label',
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('session_number', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('description', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['cohort_id'], ['cohort.id'], name=op.f('fk_cohort_label_cohort_id')),
    sa.PrimaryKeyConstraint('cohort_id', 'session_number', name=op.f('pk_cohort_label'))
    )
    op.create_table('connection_password',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('connection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_used_at', sa.BigInteger(), nullable=True),
    sa.Column('retired_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], name=op.f('fk_connection_password_connection_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_connection_password'))
    )
    with op.batch_alter_table('connection_password', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_connection_password_connection_id'), ['connection_id'], unique=False)

    op.create_table('sync_session',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('cohort_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('mixpanel_session_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('connection_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('unclear', sa.Boolean(), nullable=False),
    sa.Column('total_pages', sa.Integer(), nullable=True),
    sa.Column('pages_received', sa.Integer(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('entered', sa.BigInteger(), nullable=False),
    sa.Column('left_count', sa.BigInteger(), nullable=False),
    sa.Column('unchanged', sa.BigInteger(), nullable=False),
    sa.Column('rejected', sa.BigInteger(), nullable=False),
    sa.Column('replayed', sa.BigInteger(), nullable=False),
    sa.Column('first_change', sa.BigInteger(), nullable=False),
    sa.Column('last_change', sa.BigInteger(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('last_page_at', sa.BigInteger(), nullable=False),
    sa.Column('completed_at', sa.BigInteger(), nullable=True),
    sa.Column('settles_at', sa.BigInteger(), nullable=True),
    sa.Column('claimed_until', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['cohort_id'], ['cohort.id'], name=op.f('fk_sync_session_cohort_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sync_session')),
    sa.UniqueConstraint('cohort_id', 'number', name=op.f('uq_sync_session_cohort_id_number'))
    )
    with op.batch_alter_table('sync_session', schema=None) as batch_op:
        batch_op.create_index('ix_sync_session_identity', ['cohort_id', 'mixpanel_session_id', 'action', 'number'], unique=False)
        batch_op.create_index('ix_sync_session_unfinished', ['cohort_id', 'number'], unique=False, postgresql_where=sa.text("status NOT IN ('complete', 'superseded')"), sqlite_where=sa.text("status NOT IN ('complete', 'superseded')"))



def downgrade() -> None:
    with op.batch_alter_table('sync_session', schema=None) as batch_op:
        batch_op.drop_index('ix_sync_session_unfinished', postgresql_where=sa.text("status NOT IN ('complete', 'superseded')"), sqlite_where=sa.text("status NOT IN ('complete', 'superseded')"))
        batch_op.drop_index('ix_sync_session_identity')

    op.drop_table('sync_session')
    with op.batch_alter_table('connection_password', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_connection_password_connection_id'))

    op.drop_table('connection_password')
    op.drop_table('cohort_label')
    op.drop_table('sync_page')
    op.drop_table('person')
    op.drop_table('membership_change')
    op.drop_table('membership')
    with op.batch_alter_table('failure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_failure_at'))

    op.drop_table('failure')
    op.drop_table('connection')
    op.drop_table('cohort')
    op.drop_table('api_token')
