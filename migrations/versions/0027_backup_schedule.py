"""backups on a schedule"""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('backup_schedule',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('place', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
        sa.Column('every_ms', sa.BigInteger(), nullable=False),
        sa.Column('planned_at', sa.BigInteger(), nullable=False),
        sa.Column('next_at', sa.BigInteger(), nullable=False),
        sa.Column('claimed_until', sa.BigInteger(), nullable=True),
        sa.Column('verified_at', sa.BigInteger(), nullable=True),
        sa.Column('name', sa.Text(), nullable=True),
        sa.Column('bytes', sa.BigInteger(), nullable=True),
        sa.Column('encrypted', sa.Boolean(), nullable=True),
        sa.Column('failed_at', sa.BigInteger(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_backup_schedule')),
    )


def downgrade() -> None:
    op.drop_table('backup_schedule')
