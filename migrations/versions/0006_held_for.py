"""why a refresh is held"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('sync_session', sa.Column('held_for', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('sync_session', 'held_for')
