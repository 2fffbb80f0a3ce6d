"""Renaming is one to one and keeps what is a fact; a reasoning that cheats is found out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Edge, KubernetesObject, Snapshot
from bot.domain.time import Window
from bot.evaluation.benchmark import Scored
from bot.evaluation.honesty import Subject, examine
from bot.evaluation.renaming import bijection, images_of, names_of, renamed_copy, renamer
from bot.perception.case import Answer, Case
from tests.unit.reasoning.scenes import NOW, SOURCE

WINDOW = Window.last(60, before=NOW)
NAMES = ("cart", "cart-db", "shop", "worker-01")
IMAGE = "registry.example.com/cart-db:1.2"
MAP = bijection(NAMES)
RENAME = renamer(MAP, [IMAGE])


def test_new_names_are_different_as_long_and_never_shared() -> None:
    assert set(MAP) == set(NAMES)
    assert all(len(new) == len(old) and new != old for old, new in MAP.items())
    assert len({*MAP.values(), *NAMES}) == 2 * len(NAMES)
    assert MAP["worker-01"].endswith("-01")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cart", MAP["cart"]),
        ("cart-db", MAP["cart-db"]),
        ("pod/cart-7c9f-x2x1p", f"pod/{MAP['cart']}-7c9f-x2x1p"),
        ("cart-db.shop.svc:3306", f"{MAP['cart-db']}.{MAP['shop']}.svc:3306"),
        ("carton shopping discart", "carton shopping discart"),
        (f"image: {IMAGE}", f"image: {IMAGE}"),
        (f'pulling "{IMAGE}" for cart', f'pulling "{IMAGE}" for {MAP["cart"]}'),
        ("http://cart/shop?x=cart", f"http://{MAP['cart']}/{MAP['shop']}?x={MAP['cart']}"),
        ("", ""),
    ],
)
def test_whole_names_are_renamed_and_images_stay(text: str, expected: str) -> None:
    assert RENAME(text) == expected


NODES = """NAME     STATUS                     ROLES    AGE   VERSION
master   Ready,SchedulingDisabled   master   95d   v1.31.2
"""


def test_what_a_node_is_for_is_no_name_though_a_node_be_called_so(tmp_path: Path) -> None:
    rename = renamer({"master": "qwerty", "node": "asdf"})
    key = "node-role.kubernetes.io/master"
    assert rename(f"{key}:NoSchedule on master") == f"{key}:NoSchedule on qwerty"
    assert rename("kubernetes.io/role=master,x=master") == "kubernetes.io/role=master,x=qwerty"
    assert rename("Name:   master\nRoles:  master\n") == "Name:   qwerty\nRoles:  master\n"
    assert rename(NODES) == NODES.replace("master   Ready", "qwerty   Ready")
    labels = {"kubernetes.io/hostname": "master", "kubernetes.io/role": "master", key: ""}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.json").write_text(json.dumps(labels))
    renamed_copy(tmp_path / "a", tmp_path / "b", rename)
    assert json.loads((tmp_path / "b" / "x.json").read_text()) == {
        **labels,
        "kubernetes.io/hostname": "qwerty",
    }


def test_json_stays_json_after_an_escape(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.json").write_text(json.dumps({"cart": ["a\ncart", 1, None]}))
    (tmp_path / "a" / "y.csv").write_text("cart,1\n")
    renamed_copy(tmp_path / "a", tmp_path / "b", RENAME)
    new = MAP["cart"]
    assert json.loads((tmp_path / "b" / "x.json").read_text()) == {new: [f"a\n{new}", 1, None]}
    assert (tmp_path / "b" / "y.csv").read_text() == f"{new},1\n"


def test_what_every_cluster_calls_the_same_keeps_its_name() -> None:
    body = {"spec": {"containers": [{"image": IMAGE}, "broken"]}, "status": {}}
    objects = tuple(
        KubernetesObject(kind=k, namespace=n, name=m, body=body, source=SOURCE)
        for k, n, m in [("Service", "kube-system", "coredns"), ("Service", "shop", "cart")]
    )
    edges = (Edge(caller="web", callee="cart", calls=None, source=SOURCE),)
    snapshot = Snapshot(environment="e", window=WINDOW, now=NOW, objects=objects, edges=edges)
    assert names_of(snapshot) == {"cart", "shop", "web"}
    assert images_of(snapshot) == {IMAGE}


Solve = Callable[[Path], str]


def subject(solve: Solve) -> Subject:
    """Score cases whose truth is the service named in `facts.json`."""

    def load(_path: Path) -> Case:
        edges = tuple(
            Edge(caller=f"svc-{x}", callee="web", calls=None, source=SOURCE) for x in "abcdefgh"
        )
        facts = Snapshot(environment="e", window=WINDOW, now=NOW, edges=edges)
        need = Need(fact=Fact.EDGES, window=WINDOW)
        return Case(
            environment="e", question=None, window=WINDOW, now=NOW, tool="t",
            answers=(Answer(need=need, facts=facts, took_s=0),),
        )  # fmt: skip

    def score(cases: Sequence[Path], root: Path) -> list[Scored]:
        return [_scored(case, root, solve) for case in cases]

    return Subject(cases=lambda d: sorted(p for p in d.iterdir()), load=load, score=score)


def _scored(case: Path, root: Path, solve: Solve) -> Scored:
    truth, answer = json.loads((case / "truth.json").read_text()), solve(case)
    return Scored(
        case=case.relative_to(root).as_posix(), kind="k", system="s", truth=truth,
        answers=(answer,), answered=True, right=truth == answer, among_three=truth == answer,
        confidence=0.9, facts=1, seconds=0.0,
    )  # fmt: skip


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    for letter in "abcdefgh":
        place = tmp_path / f"is-{letter}"
        place.mkdir()
        (place / "truth.json").write_text(json.dumps(f"svc-{letter}"))
        facts = {"fault": f"svc-{letter}", "query": f"letter {letter}"}
        (place / "facts.json").write_text(json.dumps(facts))
    return tmp_path


def facts(case: Path, name: str) -> str:
    return str(json.loads((case / "facts.json").read_text())[name])


def test_an_honest_reasoning_passes(cases: Path) -> None:
    found = examine(subject(lambda case: facts(case, "fault")), cases)
    assert found["honest"]
    assert (found["top1"], found["top1_renamed"], found["top1_blanked"]) == (1.0, 1.0, 1.0)
    assert found["top1_permuted"] < 0.2


@pytest.mark.parametrize(
    ("cheat", "moved"),
    [
        (lambda case: f"svc-{case.name[-1]}", "blanked"),
        (lambda case: f"svc-{facts(case, 'query')[-1:]}", "blanked"),
        (lambda case: f"svc-{facts(case, 'fault')[-1]}", "renamed"),
    ],
)
def test_who_reads_the_path_the_question_or_knows_the_names_is_found_out(
    cases: Path, cheat: Solve, moved: str
) -> None:
    found = examine(subject(cheat), cases)
    assert not found["honest"]
    assert found["moved"][moved]
