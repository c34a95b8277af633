"""the refused call itself"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('refused_request',
    sa.Column('failure_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['failure_id'], ['failure.id'], name=op.f('fk_refused_request_failure_id_failure'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('failure_id', name=op.f('pk_refused_request'))
    )


def downgrade() -> None:
    op.drop_table('refused_request')
