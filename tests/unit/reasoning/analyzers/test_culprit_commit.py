"""Which commit did it: by what its diff does against what is seen, never by time alone."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.diagnosis import Finding, Hypothesis
from bot.domain.snapshot import Change, ChangeKind, LogTemplate, Signal
from bot.reasoning.analyzers import culprit_commit, discover
from bot.reasoning.investigate import diagnose
from tests.unit.reasoning.scenes import NOW, SOURCE, Scene, ask, minute, values

POOL = "@@ pkg/db/pool.go @@\n-const maxOpenConns = 50\n+const maxOpenConns = 5"
TIDY = "@@ services/orders/handler.go @@\n-\t// Old comment.\n+\t// New comment."


def commit(scene: Scene, sha: str, at: float, diff: str | None, path: str) -> None:
    scene.changes.append(
        Change(
            id=sha, kind=ChangeKind.COMMIT, service="", object=f"commit/{sha[:12]}",
            at=minute(at), summary="a change", before=None, after=sha, diff=diff, link=None,
            source=SOURCE, files=(path,),
        )
    )  # fmt: skip


def deploy(scene: Scene, service: str, sha: str, at: float) -> None:
    scene.changes.append(
        Change(
            id=f"deploy-{service}-{at}", kind=ChangeKind.DEPLOY, service=service,
            object=f"deployment/{service}", at=minute(at), summary="", before=None, after="v9",
            diff=None, link=None, source=SOURCE, commits=(sha,),
        )
    )  # fmt: skip


def heard(scene: Scene, service: str, text: str, at: float = 100.0) -> None:
    scene.logs.append(
        LogTemplate(
            service=service, pod=None, container=None, previous=False, level="error",
            template=text, example=text, count=200, baseline_count=0, first_at=minute(at),
            last_at=NOW, source=SOURCE,
        )
    )  # fmt: skip


def pool_scene(*, guilty: bool = True) -> Scene:
    scene = Scene()
    scene.service("shop", p99=values(0.2, 3.0)).service("orders", p99=values(0.1, 2.9))
    scene.calls("shop", "orders")
    heard(scene, "orders", "connection pool exhausted, waited 3000ms for a connection")
    commit(scene, "1" * 40, 70, TIDY, "services/orders/handler.go")
    deploy(scene, "orders", "1" * 40, 99)
    if guilty:
        commit(scene, "2" * 40, 80, POOL, "pkg/db/pool.go")
        deploy(scene, "orders", "2" * 40, 90)
    return scene


def find(scene: Scene) -> Finding:
    return culprit_commit.look(scene.snapshot(), ask())


def best(finding: Finding) -> Hypothesis | None:
    return max(finding.hypotheses, key=lambda h: h.log_odds, default=None)


def test_the_commit_whose_effect_is_seen_is_named_though_another_came_closer() -> None:
    top = best(find(pool_scene()))
    assert top is not None
    assert top.change is not None
    assert top.change.id == "2" * 40
    assert top.probability > 0.8
    assert top.object == "deployment/orders"
    assert "shop" in top.explains


def test_the_closer_but_harmless_commit_alone_is_not_blamed() -> None:
    found = [h for h in find(pool_scene(guilty=False)).hypotheses if h.change is not None]
    assert all(h.probability < 0.5 for h in found)


def test_a_commit_after_the_onset_is_innocent() -> None:
    scene = pool_scene(guilty=False)
    commit(scene, "2" * 40, 108, POOL, "pkg/db/pool.go")
    deploy(scene, "orders", "2" * 40, 110)
    found = [h for h in find(scene).hypotheses if h.change is not None]
    assert all(h.probability < 0.5 for h in found)


def test_a_commit_that_runs_elsewhere_is_innocent() -> None:
    scene = pool_scene(guilty=False).service("mail")
    commit(scene, "2" * 40, 80, POOL, "services/mail/pool.go")
    deploy(scene, "mail", "2" * 40, 90)
    found = [h for h in find(scene).hypotheses if h.change is not None]
    assert all(h.probability < 0.6 for h in found)


def test_without_a_diff_nobody_is_convicted() -> None:
    scene = pool_scene(guilty=False)
    commit(scene, "2" * 40, 80, None, "services/orders/pool.go")
    deploy(scene, "orders", "2" * 40, 99.5)
    found = [h for h in find(scene).hypotheses if h.change is not None]
    assert all(h.probability < 0.5 for h in found)


def test_without_commits_it_says_nothing() -> None:
    scene = pool_scene()
    scene.changes.clear()
    assert find(scene) == Finding()


def test_without_trouble_nobody_is_accused() -> None:
    scene = Scene().service("orders")
    commit(scene, "2" * 40, 80, POOL, "pkg/db/pool.go")
    deploy(scene, "orders", "2" * 40, 90)
    assert find(scene).hypotheses == ()


def test_an_expired_certificate_clears_the_release_before_it() -> None:
    scene = Scene().service("orders", errors=values(0.001, 0.9))
    heard(scene, "orders", "tls: x509: certificate has expired or is not yet valid")
    commit(scene, "1" * 40, 70, TIDY, "services/orders/handler.go")
    deploy(scene, "orders", "1" * 40, 99)
    top = best(find(scene))
    assert top is not None
    assert (top.cause, top.change) == ("certificate_expired", None)


def test_a_failing_provider_clears_the_release_before_it() -> None:
    scene = Scene().service("orders", errors=values(0.001, 0.9))
    heard(scene, "orders", "POST https://api.paymaster.com/v1/pay returned 503")
    commit(scene, "1" * 40, 70, TIDY, "services/orders/handler.go")
    deploy(scene, "orders", "1" * 40, 99)
    top = best(find(scene))
    assert top is not None
    assert (top.cause, top.object) == ("external_provider_failure", "external/api.paymaster.com")


def test_more_users_clear_the_release_before_it_but_more_inner_calls_do_not() -> None:
    surge = Scene().service("shop", p99=values(0.2, 3.0, at=101), rate=values(50, 400))
    commit(surge, "1" * 40, 70, TIDY, "services/shop/handler.go")
    deploy(surge, "shop", "1" * 40, 99)
    assert {h.cause for h in find(surge).hypotheses} >= {"traffic_surge"}
    inner = Scene().service("shop").calls("shop", "stock")
    inner.service("stock", p99=values(0.2, 3.0, at=101), rate=values(50, 400))
    commit(inner, "1" * 40, 70, TIDY, "services/shop/handler.go")
    assert "traffic_surge" not in {h.cause for h in find(inner).hypotheses}


def test_deploys_whose_diff_is_known_are_not_blamed_for_their_time() -> None:
    diagnosis = diagnose(pool_scene().snapshot(), ask(), discover())
    assert diagnosis.cause is not None
    assert diagnosis.cause.change is not None
    assert diagnosis.cause.change.id == "2" * 40


def test_a_delayed_onset_of_something_that_fills_up_is_allowed() -> None:
    scene = pool_scene(guilty=False)
    commit(scene, "2" * 40, 8, POOL, "pkg/db/pool.go")
    deploy(scene, "orders", "2" * 40, 10)
    top = best(find(scene))
    assert top is not None
    assert top.change is not None
    assert minute(100) - top.change.at > timedelta(minutes=90)


def test_a_signal_that_nobody_knows_breaks_nothing() -> None:
    scene = pool_scene()
    scene.add(Signal.LATENCY_P99, "odd", (float("nan"),) * 8, "s")
    assert best(find(scene)) is not None


def test_deploys_that_do_not_say_what_they_brought_are_left_to_their_time() -> None:
    scene = pool_scene()
    scene.changes = [replace(c, commits=()) for c in scene.changes]
    assert find(scene) == Finding()
