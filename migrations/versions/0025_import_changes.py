"""what an import's filter leaves out, which file it was, and where a failed record was sent again"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('import_job', sa.Column('left_out', sa.BigInteger(), nullable=True))
    op.add_column('import_job', sa.Column('content_digest', sa.Text(), nullable=True))
    op.create_index('ix_import_job_content_digest', 'import_job', ['content_digest'])
    op.add_column('import_failure', sa.Column('again_in', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column('import_failure', 'again_in')
    op.drop_index('ix_import_job_content_digest', 'import_job')
    op.drop_column('import_job', 'content_digest')
    op.drop_column('import_job', 'left_out')
