"""erasures with their proof, people who were erased, and a log with an age"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('erasure',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('erased_at', sa.BigInteger(), nullable=True),
    sa.Column('who', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('project_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('counts', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure'))
    )
    op.create_index('ix_erasure_digest', 'erasure', ['digest', 'id'], unique=False)
    op.create_index('ix_erasure_open', 'erasure', ['digest'], unique=True, postgresql_where=sa.text('erased_at IS NULL'), sqlite_where=sa.text('erased_at IS NULL'))
    op.add_column('person', sa.Column('erased_at', sa.BigInteger(), nullable=True))
    op.add_column('cohort', sa.Column('log_examined', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('cohort', sa.Column('log_gone', sa.BigInteger(), server_default='0', nullable=False))


def downgrade() -> None:
    op.drop_column('cohort', 'log_gone')
    op.drop_column('cohort', 'log_examined')
    op.drop_column('person', 'erased_at')
    op.drop_index('ix_erasure_open', table_name='erasure', postgresql_where=sa.text('erased_at IS NULL'), sqlite_where=sa.text('erased_at IS NULL'))
    op.drop_index('ix_erasure_digest', table_name='erasure')
    op.drop_table('erasure')
