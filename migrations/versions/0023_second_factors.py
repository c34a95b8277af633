"""second factors of operators: an authenticator app, recovery codes, and by what a sign-in was made"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('authenticator',
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('confirmed_at', sa.BigInteger(), nullable=True),
    sa.Column('last_step', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('operator_id', name=op.f('pk_authenticator'))
    )
    op.create_table('recovery_code',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('operator_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
    sa.UniqueConstraint('digest', name=op.f('uq_recovery_code_digest')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_recovery_code_operator_id'), 'recovery_code', ['operator_id'], unique=False)
    op.add_column('operator', sa.Column('second_factor_at', sa.BigInteger(), nullable=True))
    op.add_column('sign_in', sa.Column('way', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('sign_in', 'way')
    op.drop_column('operator', 'second_factor_at')
    op.drop_index(op.f('ix_recovery_code_operator_id'), table_name='recovery_code')
    op.drop_table('recovery_code')
    op.drop_table('authenticator')
