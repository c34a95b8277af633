"""calls under a name that their sender chose"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('named_call',
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('body_digest', sa.Text(), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_named_call'))
    )
    op.create_index(op.f('ix_named_call_at'), 'named_call', ['at'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_named_call_at'), table_name='named_call')
    op.drop_table('named_call')
