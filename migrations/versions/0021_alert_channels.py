"""channels of alerts that admins have added"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alert_channel',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('recipients', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('states', sa.Text(), nullable=False),
    sa.Column('cohorts', sa.Text(), nullable=False),
    sa.Column('created_by', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_channel')),
    sa.UniqueConstraint('name', name=op.f('uq_alert_channel_name')),
    sqlite_autoincrement=True
    )


def downgrade() -> None:
    op.drop_table('alert_channel')
