"""Trust: no way around the append-only audit; expired grants fall back; what happened without us.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CLOSED = {
    "sqlite": [  # INSERT OR REPLACE deletes without firing a DELETE trigger
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
        "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR previous_hash = NEW.previous_hash) "
        "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
    ],
    "postgresql": [
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    ],
}
OPENED = {
    "sqlite": ["DROP TRIGGER audit_no_replace"],
    "postgresql": ["DROP TRIGGER audit_no_truncate ON audit"],
}


def upgrade() -> None:
    for statement in CLOSED[op.get_bind().dialect.name]:
        op.execute(statement)
    op.add_column("autonomy_levels", sa.Column("fallback", sa.Integer(), nullable=True))
    op.create_table(
        "observations",
        sa.Column("proposal_id", sa.String(length=255), nullable=False),
        sa.Column("environment", sa.String(length=255), nullable=False),
        sa.Column("cause", sa.String(length=255), nullable=False),
        sa.Column("outcome", sa.String(length=255), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
            name=op.f("fk_observations_proposal_id_proposals"),
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_observations")),
    )
    op.create_index(
        op.f("ix_observations_environment_cause"), "observations", ["environment", "cause"]
    )
    op.create_index(op.f("ix_proposals_environment_action"), "proposals", ["environment", "action"])
    op.create_table(
        "break_glass",
        sa.Column("proposal_id", sa.String(length=255), nullable=False),
        sa.Column("team", sa.String(length=255), nullable=False),
        sa.Column("user", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
            name=op.f("fk_break_glass_proposal_id_proposals"),
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_break_glass")),
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("environment", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=255), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(
        op.f("ix_promotions_environment_action"), "promotions", ["environment", "action"]
    )


def downgrade() -> None:
    op.drop_table("promotions")
    op.drop_table("break_glass")
    op.drop_index(op.f("ix_proposals_environment_action"), "proposals")
    op.drop_table("observations")
    with op.batch_alter_table("autonomy_levels") as batch:
        batch.drop_column("fallback")
    for statement in OPENED[op.get_bind().dialect.name]:
        op.execute(statement)
