"""The people, channels and groups that the workspace starts with."""

from datetime import datetime

from bot.sandbox.workspace.records import App, Channel, User, UserGroup

TEAM = "T0SANDBOX"
TEAM_NAME = "Sandbox"
TEAM_DOMAIN = "sandbox"


def users(app: App) -> tuple[User, ...]:
    """Return everybody, the bot included."""
    return (
        User(
            id=app.bot_user, name=app.name, real_name=app.name, role="bot", is_bot=True,
            tz="Etc/UTC", tz_offset_s=0,
        ),
        _person("U0RESPONDER", "rosa", "Rosa Responder", "responder"),
        _person("U0APPROVER", "anil", "Anil Approver", "approver"),
        _person("U0ADMIN", "ada", "Ada Administrator", "administrator"),
        _person("U0OBSERVER", "otto", "Otto Observer", "observer"),
        _person("U0GUEST", "gwen", "Gwen Guest", "guest"),
    )  # fmt: skip


def _person(user_id: str, name: str, real_name: str, role: str) -> User:
    return User(
        id=user_id,
        name=name,
        real_name=real_name,
        role=role,
        email=f"{name}@sandbox.example",
        is_guest=role == "guest",
        is_admin=role == "administrator",
    )


def channels(app: App, everybody: tuple[User, ...], now: datetime) -> tuple[Channel, ...]:
    """Return the channels; the bot is a member of the first two only."""
    people = frozenset(u.id for u in everybody if not u.is_bot)
    with_bot = people | {app.bot_user}
    return (
        Channel(
            id="C0INCIDENTS", name="incidents", created=now, members=with_bot,
            topic="What is broken right now",
        ),
        Channel(
            id="C0SHOP", name="team-shop", created=now, members=with_bot, topic="The shop's team"
        ),
        Channel(id="C0GENERAL", name="general", created=now, members=people, topic="The rest"),
    )  # fmt: skip


def groups() -> tuple[UserGroup, ...]:
    """Return the user groups."""
    return (
        UserGroup(
            id="S0APPROVERS",
            handle="sre-approvers",
            name="SRE approvers",
            users=("U0APPROVER", "U0ADMIN"),
        ),
    )
