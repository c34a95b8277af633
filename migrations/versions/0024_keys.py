"""under which key a digest is, and the key that names messages"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = ("connection_password", "api_token", "one_time_link", "sign_in", "erasure", "recovery_code")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("key_id", sa.BigInteger(), nullable=True))
    op.add_column("secret_key_check", sa.Column("names_digest", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("secret_key_check", "names_digest")
    for table in reversed(TABLES):
        op.drop_column(table, "key_id")
