"""advice that an import sent its records against, counted"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('import_job', sa.Column('advised', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('import_job', 'advised')
