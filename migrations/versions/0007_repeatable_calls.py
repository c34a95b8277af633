"""whether a call may be sent again, and until when somebody may be at work on it, as columns"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('repeatable', sa.Boolean(), nullable=True))
    op.add_column('delivery', sa.Column('over_at', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column('delivery', 'over_at')
    op.drop_column('delivery', 'repeatable')
