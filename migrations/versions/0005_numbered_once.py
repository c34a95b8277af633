"""no number is given to a second row"""

from models.maintenance.schema import number_once

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

TABLES = (
    'alert', 'api_token', 'audit_entry', 'budget_call', 'comparison', 'connection', 'connection_password', 'delivery',
    'erasure', 'failure', 'import_job', 'landing', 'operator', 'project', 'simulated_export',
)


def upgrade() -> None:
    number_once(*TABLES)


def downgrade() -> None:
    """The version before minds it as little as it knows it."""
