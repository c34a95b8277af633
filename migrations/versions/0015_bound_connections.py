"""the projects that a connection may write"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('connection', sa.Column('projects', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('connection', 'projects')
