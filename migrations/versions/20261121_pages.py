"""Pages: incidents of the paging service, and what the bot did there on its own.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.String(length=255)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pages",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("incident_id", TEXT, nullable=True),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("urgency", TEXT, nullable=False),
        sa.Column("priority", TEXT, nullable=False),
        sa.Column("assignees", sa.JSON(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("note_by", TEXT, nullable=False),
        sa.Column("noted_at", MOMENT, nullable=True),
        sa.Column("on_call", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_pages_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
    )
    op.create_index(op.f("ix_pages_incident_id"), "pages", ["incident_id"])
    op.create_table(
        "page_deeds",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("page_id", TEXT, nullable=False),
        sa.Column("incident_id", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_page_deeds")),
    )
    op.create_index(op.f("ix_page_deeds_incident_id"), "page_deeds", ["incident_id"])
    op.create_index(op.f("ix_page_deeds_kind_at"), "page_deeds", ["kind", "at"])
    op.create_table(
        "page_signals",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_signals")),
    )


def downgrade() -> None:
    op.drop_table("page_signals")
    op.drop_table("page_deeds")
    op.drop_table("pages")
