"""calls per minute of an API token's own"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_token', sa.Column('calls_per_minute', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column('api_token', 'calls_per_minute')
