"""Freeze windows by people: who set one.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("freezes") as batch:
        batch.add_column(
            sa.Column("set_by", sa.String(length=255), nullable=False, server_default="")
        )


def downgrade() -> None:
    with op.batch_alter_table("freezes") as batch:
        batch.drop_column("set_by")
