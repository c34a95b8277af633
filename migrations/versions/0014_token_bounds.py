"""what narrows an API token"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_token', sa.Column('expires_at', sa.BigInteger(), nullable=True))
    op.add_column('api_token', sa.Column('project_id', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True))
    op.add_column('api_token', sa.Column('network', sa.Text(), nullable=True))
    op.add_column('api_token', sa.Column('without_exports', sa.Boolean(), nullable=True))


def downgrade() -> None:
    for column in ('without_exports', 'network', 'project_id', 'expires_at'):
        op.drop_column('api_token', column)
