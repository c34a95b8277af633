"""what a connection keeps of the profiles that arrive, and what is applied to those that are stored"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None

EXACT = sa.Text().with_variant(sa.Text(collation='C'), 'postgresql')


def upgrade() -> None:
    op.add_column('connection', sa.Column('keeps', EXACT, nullable=True))
    op.create_table(
        'minimisation',
        sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('connection_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('asked_at', sa.BigInteger(), nullable=False),
        sa.Column('who', EXACT, nullable=False),
        sa.Column('choice', EXACT, nullable=False),
        sa.Column('stage', EXACT, nullable=False),
        sa.Column('cohort_id', sa.BigInteger(), nullable=False),
        sa.Column('position', sa.BigInteger(), nullable=False),
        sa.Column('seen', sa.BigInteger(), nullable=False),
        sa.Column('changed', sa.BigInteger(), nullable=False),
        sa.Column('ended_at', sa.BigInteger(), nullable=True),
        sa.Column('claimed_until', sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], name=op.f('fk_minimisation_connection_id_connection')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_minimisation')),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_minimisation_connection_id'), 'minimisation', ['connection_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_minimisation_connection_id'), table_name='minimisation')
    op.drop_table('minimisation')
    op.drop_column('connection', 'keeps')
