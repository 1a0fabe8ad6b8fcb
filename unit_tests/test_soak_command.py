"""`python -m tools.soak`: what it prints of a broken promise is short, and can be played again."""

from collections import Counter
from collections.abc import Iterable

import pytest

from tools.soak import __main__ as soak
from tools.soak.oracle import PromiseBroken
from tools.soak.story import Story


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, int]]]:
    """The stories that were played: one fails where it rolls back and checks after that."""
    stories: list[list[tuple[str, int]]] = []

    def play(_: int, steps: Iterable[tuple[str, int]]) -> Counter[str]:
        stories.append(list(steps))
        names = [name for name, _ in stories[-1]]
        if "roll_back" in names and "check" in names[names.index("roll_back") :]:
            raise PromiseBroken("something is lost")
        return Counter(steps=len(names))

    monkeypatch.setattr(soak, "play", play)
    return stories


def test_a_seed_stands_for_the_same_steps_each_time_and_each_is_one_of_a_story() -> None:
    steps = [step for seed in range(20) for step in soak.steps_of(seed)]
    assert steps == [step for seed in range(20) for step in soak.steps_of(seed)]
    assert all(callable(getattr(Story, name)) for name, _ in steps)
    assert "kill_a_process" in {name for name, _ in steps}


def test_a_story_that_fails_is_made_shorter_and_can_be_played_again(
    played: list[list[tuple[str, int]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert soak.main(["--seed", "1", "--stories", "1000"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    begin = "Again: python -m tools.soak "
    assert last.startswith(begin)
    arguments = last.removeprefix(begin).split()
    assert len(arguments) == len(["--seed", "1", "--replay"]) + 2
    assert soak.main(arguments) == 1
    assert [name for name, _ in played[-1]] == ["roll_back", "check"]
    assert "something is lost" in capsys.readouterr().out


def test_stories_that_go_well_end_with_0_and_are_counted(
    played: list[list[tuple[str, int]]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak, "STEPS_TO_DRAW", ("read",))
    assert soak.main(["--seed", "1", "--stories", "3"]) == 0
    assert len(played) == 3
    assert "3 stories, 60 steps" in capsys.readouterr().out
    assert soak.main(["--seed", "1", "--replay", "read:5"]) == 0
    assert played[-1] == [("read", 5)]
