"""One story, played with the bot dying at a given point of it, and what must hold afterwards."""

import asyncio
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy
from sqlalchemy import text

from bot.cli.company import INCIDENT_CHANNEL, Company, Plan, seed
from bot.domain.action import Level
from bot.domain.time import ScaledClock
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.storage.people import LevelGrant, Levels
from tests.fakes.mortal import Life, Point, company, forked
from tests.fakes.story import Hands, Json, has, text_of, with_button
from tests.scenarios.kills.records import JOURNAL, OWN, Records
from tests.scenarios.kills.scripts import RECOVERS, Script
from tools.catalog import actions

RATE = 60.0  # sandbox seconds per wall second
PATIENCE_S = 240.0  # wall, with one story; on a busy machine much is slow
WATCHED_S = 240.0  # world
AFRESH = 4  # stories of one sandbox: it keeps what it computed of each
TRIES = 5
LINGERS_S = 0.4
APPROVED_BY = "U0APPROVER"


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of a story. `wrong` is empty when it ended as if nobody had died."""

    script: str
    points: tuple[Point, ...]
    reached: tuple[Point, ...]
    wrong: tuple[str, ...]
    took_s: float

    def __str__(self) -> str:
        verdict = "ok" if not self.wrong else "WRONG: " + "; ".join(self.wrong)
        lines = [f"{point!s:72} {'killed' if point in self.reached else 'not reached'}"
                 for point in self.points]  # fmt: skip
        return "\n".join([*lines, f"{'':40} {self.script} {self.took_s:5.1f} s  {verdict}"])


class Place(Company):
    """A company whose sandbox is forked; each story has a home and a database of its own.

    `server` is the URL of a PostgreSQL; without it, all is in SQLite files.
    """

    def __init__(self, home: Path, server: str = "") -> None:
        super().__init__(Plan(home=home, rate=RATE))
        self.server, self.stories = server.rsplit("/", 1)[0], 0
        self._mark = uuid.uuid4().hex[:8]
        self._open()
        self._make_template()

    def _open(self) -> None:
        self._process, told = forked(company, self.origin.isoformat(), RATE)
        assert told.poll(PATIENCE_S)
        self.port = int(urlsplit(told.recv()).port or 0)
        told.close()
        self.write_environments()
        self.hands = Hands(self)

    def close(self) -> None:
        self.hands.http.close()
        self._process.kill()
        self._process.join()
        self._process.close()

    def story(self, script: Script = RECOVERS) -> "Story":
        """Return the stage for one more story."""
        self.stories += 1
        if self.stories % AFRESH == 0:
            self.close()
            self._open()
        name = f"story_{self.stories}"
        shutil.copytree(self.plan.home / "template", self.plan.home / name)
        (self.plan.home / name / "trace.jsonl").unlink(missing_ok=True)
        if self.server:
            template = self._database("template")
            self._sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      f"WHERE datname = '{template}'")  # fmt: skip
            self._sql(f"CREATE DATABASE {self._database(name)} TEMPLATE {template}")
        return Story(place=self, name=name, script=script)

    def play(self, *points: Point, script: Script = RECOVERS) -> tuple["Story", Played]:
        """Play a story to its end; another one if the bot was not sure."""
        for _ in range(TRIES):
            story = self.story(script)
            played = story.play(*points)
            if played is not None:
                with (self.plan.home / "played.txt").open("a", encoding="utf-8") as file:
                    file.write(f"{played}\n")
                return story, played
        raise AssertionError("the bot was never sure: this machine is too slow for the sandbox")

    def variables(self, name: str) -> dict[str, str]:
        """Return the bot's settings in the story of that name."""
        return {
            **self.settings(),
            "SRE_BOT_HOME": str(self.plan.home / name),
            "DATABASE_URL": self.url_of(name),
            "SRE_BOT_VERIFICATION_EVERY_SECONDS": "120",
            "SRE_BOT_VERIFICATION_MOST_SECONDS": str(WATCHED_S),
            "SRE_BOT_INVESTIGATION_SECONDS": "90",  # on a machine that is busy with other tests
            "SRE_BOT_LOG_LEVEL": "warning",
        }

    def url_of(self, name: str, file: str = OWN) -> str:
        """Return the URL of the story's database; of the journal, with its file."""
        if self.server:
            return f"{self.server}/{self._database(name)}"
        return f"sqlite:///{self.plan.home / name / file}"

    def _database(self, name: str) -> str:
        """Return the name of a story's database: other places share the server."""
        return f"{name}_{self._mark}"

    def _make_template(self) -> None:
        """Make what each story begins with: all tables, people's roles, and levels."""
        (self.plan.home / "template").mkdir()
        if self.server:
            self._sql(f"CREATE DATABASE {self._database('template')}")
        database = Database(self.url_of("template"))
        upgrade(database.engine)
        asyncio.run(prepared(database, ScaledClock(origin=self.origin, rate=RATE)))
        database.close()
        life = Life(self.variables("template"), self.plan.home / "template")
        assert life.ready()
        life.end()

    def _sql(self, statement: str) -> None:
        engine = sqlalchemy.create_engine(f"{self.server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


async def prepared(database: Database, clock: ScaledClock) -> None:
    """Grant roles; in production every action needs an approval."""
    await seed(database, clock)
    levels = Levels(database, clock)
    for name in actions():
        granted = LevelGrant(
            environment="prod", action=name, level=Level.L3, by="test", reason="test"
        )
        await levels.grant(granted)


@dataclass
class Story:
    """An incident, a question, an approval, and its end: with deaths in between."""

    place: Place
    name: str
    script: Script
    life: Life | None = None
    ts: str = ""
    before: Json = field(default_factory=dict)
    worsened: bool = False
    page: str = ""
    pressed: bool = False
    known: frozenset[str] = frozenset()  # what was in the channel before

    @property
    def home(self) -> Path:
        return self.place.plan.home / self.name

    @property
    def hands(self) -> Hands:
        """What people do."""
        return self.place.hands

    @property
    def records(self) -> Records:
        """What SQL holds."""
        url = self.place.url_of
        return Records(own=url(self.name), journal=url(self.name, JOURNAL))

    def play(self, *points: Point) -> Played | None:
        """Play it with the bot dying once at each of those points that it passes.

        None: the bot was not sure what is wrong, as happens on a machine that is too slow for the
        sandbox; then there is no story.
        """
        began = time.monotonic()
        self.hands.start_incident(self.script.incident, self.script.seed)
        self.known = frozenset(str(m["ts"]) for m in self._channel())
        self._live(points)
        self.script.begin(self)
        wrong = self._until_over(points)
        assert self.life is not None
        if wrong and self._unsure():
            self.life.end()
            return None
        wrong += self.checked(len(self.roots()))
        self.life.end()
        return Played(
            script=self.script.name, points=points, wrong=tuple(wrong),
            reached=tuple(p for p in points if p.died(self.home).exists()),
            took_s=time.monotonic() - began,
        )  # fmt: skip

    def _live(self, points: tuple[Point, ...]) -> None:
        self.life = Life(self.place.variables(self.name), self.home, points)
        facts = self.life.ready()
        if "port" in facts:  # it may have died before
            self.place.subscribe(int(facts["port"]))

    def _until_over(self, points: tuple[Point, ...]) -> list[str]:
        """Do what people do, and start the bot again when it dies; what did not happen."""
        deadline = time.monotonic() + PATIENCE_S * (1 + len(points) / 4)
        while time.monotonic() < deadline:
            assert self.life is not None
            if not self.life.alive:
                self.life.end()
                self._live(points)
            self.script.people(self)
            if self.over() and self._stays():
                return []
            if self._unsure() or "ERROR" in self.records.states():
                break
            time.sleep(0.05)
        shown = " | ".join(text_of(m)[:300] for m in self.thread())
        return [f"did not end; the thread says: {shown}"]

    def _unsure(self) -> bool:
        """Whether it looked into it to the end, and named no cause."""
        thread = self.thread()
        done = any(has(m, "verdict_right") or "Nothing is wrong" in text_of(m) for m in thread)
        return (
            done
            and not self.hands.actions_done()
            and "report" in self.records.steps("")
            and not any("root cause found" in text_of(m) for m in thread)
        )

    def _stays(self) -> bool:
        """Whether it is alive a moment later: points at the very end are passed by then."""
        assert self.life is not None
        self.life.process.join(LINGERS_S)
        return self.life.alive

    def approve(self) -> None:
        """Press the button, twice, as the impatient do; again while it is still there."""
        card = with_button("approve")(self.thread())
        if card is None:
            return
        for _ in range(2):
            with suppress(AssertionError):  # the button went meanwhile
                self.hands.click(card, "approve", user=APPROVED_BY)

    def thread(self) -> list[Json]:
        """Return what people see of it."""
        return self.hands.thread(self.ts) if self.ts else []

    def truth(self) -> Json:
        """Return what is wrong in production."""
        found: Json = self.hands.get("control/truth")["truth"]["prod"]
        return found

    def target(self) -> Json:
        """Return what the settings of the guilty service are."""
        name = self.truth()["object"].removeprefix("configmap/")
        path = f"world/prod/kubernetes/api/v1/namespaces/shop/configmaps/{name}"
        found: Json = self.hands.get(path)["data"]
        return found

    def over(self) -> bool:
        """Whether it has come to its end, and what a crash left is taken up again."""
        return self.script.over(self) and not self.records.states()["ENQUEUED"]

    def posts(self) -> int:
        """Return how many messages are in the channel itself."""
        return len(self._channel())

    def roots(self) -> list[Json]:
        """Return what was posted in the channel itself since it began."""
        return [m for m in self._channel() if str(m["ts"]) not in self.known]

    def _channel(self) -> list[Json]:
        return list(self.hands.get(f"client/channels/{INCIDENT_CHANNEL}/messages")["messages"])

    def checked(self, posts: int) -> list[str]:
        """Return what is not as it would be if nobody had died."""
        thread = self.thread()
        if not thread:
            return ["nobody answered"]
        facts = {
            "one thread": posts == 1,
            "no button left but of what is offered now": self._buttons(thread),
            **self.script.facts(self),
        }
        wrong = [f"not: {fact}" for fact, holds in facts.items() if not holds]
        if wrong:
            said = " | ".join(text_of(m)[:120].replace("\n", " ") for m in thread)
            wrong.append(f"{self.hands.actions_done()}; {self.records.states()}; {said}")
        return wrong

    def _buttons(self, thread: list[Json]) -> bool:
        return sum(has(m, "approve") for m in thread) <= self.script.offered(self)
