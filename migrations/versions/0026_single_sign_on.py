"""operators who sign in by the company's provider"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('provider_subject', sa.Text().with_variant(sa.Text(collation='C'), 'postgresql'), nullable=True))
    op.create_index(op.f('ix_operator_provider_subject'), 'operator', ['provider_subject'], unique=True)


def downgrade() -> None:
    op.drop_index(op.f('ix_operator_provider_subject'), table_name='operator')
    op.drop_column('operator', 'provider_subject')
