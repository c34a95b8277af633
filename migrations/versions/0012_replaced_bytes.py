"""bytes of a session's calls that were not UTF-8"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('sync_session', sa.Column('replaced', sa.BigInteger(), server_default='0', nullable=False))


def downgrade() -> None:
    op.drop_column('sync_session', 'replaced')
