"""the time zone of an operator"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('time_zone', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('operator', 'time_zone')
