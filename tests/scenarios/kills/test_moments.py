"""Which points of a life are moments of their own."""

from tests.fakes.mortal import BEFORE, DONE, KEPT, Point, moments


def point(step: str, where: str, number: int = 0, kind: str = "remediate") -> Point:
    return Point(kind=kind, step=step, where=where, number=number)


def test_two_names_of_one_moment_are_one_point_and_other_workflows_do_not_matter() -> None:
    life = [
        point("stage", BEFORE),
        point("stage", "writing audit", 1),
        point("put", BEFORE, kind="intake"),
        point("stage", "writing proposals", 1),  # nothing follows in the step
        point("put", DONE, kind="intake"),
        point("stage", DONE),
        point("stage", KEPT),
        point("look 1", BEFORE),  # nothing lies between two steps
        point("look 1", DONE),
        point("look 1", KEPT),
    ]
    assert [str(p) for p in moments([*life, *life[-2:]])] == [
        "remediate · stage · before its work",
        "remediate · stage · inside, after writing audit (1)",
        "intake · put · before its work",
        "intake · put · after its effect",
        "remediate · stage · after its effect",
        "remediate · stage · after its checkpoint",
        "remediate · look 1 · after its effect",
        "remediate · look 1 · after its checkpoint",
    ]
