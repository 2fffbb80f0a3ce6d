"""Ready, part by part: what is not is named, what hangs is asked once, Slack may go away."""

import asyncio

from bot.app.readiness import Part, Readiness
from bot.domain.errors import Unavailable


async def fine() -> None:
    """Be ready."""


async def gone() -> None:
    raise Unavailable("database", "OperationalError")


async def test_every_part_that_is_not_ready_is_named() -> None:
    readiness = Readiness((Part(name="engine", look=fine), Part(name="database", look=gone)))
    seen = await readiness.now()
    assert seen == {"engine": "", "database": "database: OperationalError"}
    assert not readiness.vital(seen)


async def test_what_is_not_vital_does_not_count() -> None:
    readiness = Readiness(
        (Part(name="engine", look=fine), Part(name="Slack", look=gone, vital=False))
    )
    assert readiness.vital(await readiness.now())


async def test_a_part_that_hangs_is_not_ready_and_not_asked_again_while_it_hangs() -> None:
    asked, release = [], asyncio.Event()

    async def hang() -> None:
        asked.append(1)
        await release.wait()

    readiness = Readiness((Part(name="database", look=hang),), within_s=0.02, every_s=0.0)
    for _ in range(3):
        assert (await readiness.now())["database"] == "did not answer within 0.02 s"
    assert len(asked) == 1
    release.set()
    await asyncio.sleep(0)
    assert (await readiness.now())["database"] == ""
    await readiness.close()


async def test_however_often_it_is_asked_it_looks_once_a_second() -> None:
    looks = []

    async def look() -> None:
        looks.append(1)

    readiness = Readiness((Part(name="database", look=look),))
    await asyncio.gather(*(readiness.now() for _ in range(200)))
    assert len(looks) == 1
