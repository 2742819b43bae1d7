import json

import pytest

from trainer.steps import PHASES, Steps


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def test_shares_of_the_phases_are_those_of_a_whole():
    assert sum(PHASES.values()) == pytest.approx(1)


def test_a_line_says_all_that_is_known_and_shares_only_grow(tmp_path, clock):
    steps = Steps(tmp_path / "p", clock)
    for phase in PHASES:
        clock.now += 5
        steps.begin(phase)
        for share in (0.2, 0.9, 0.4):
            clock.now += 5
            steps.update(share, loss=0.5, ap=0.25)
    lines = read(tmp_path / "p")

    assert set(lines[0]) == {"at", "phase", "share", "phase_share", "loss", "ap", "left_s"}
    assert (lines[0]["loss"], lines[0]["left_s"]) == (None, None)
    assert [line["share"] for line in lines] == sorted(line["share"] for line in lines)
    assert list(dict.fromkeys(line["phase"] for line in lines)) == list(PHASES)
    assert lines[5]["ap"] == 0.25
    assert lines[-1]["left_s"] > 0


def test_there_are_at_most_two_lines_a_second(tmp_path, clock):
    steps = Steps(tmp_path / "p", clock)
    steps.begin("train")
    for i in range(100):
        clock.now += 0.01
        steps.update(i / 100, loss=1.0)

    assert len(read(tmp_path / "p")) <= 3


def test_a_run_that_goes_on_says_no_less_than_before_and_mends_half_a_line(tmp_path, clock):
    first = Steps(tmp_path / "p", clock)
    first.begin("evaluate")
    with (tmp_path / "p").open("a") as file:
        file.write('{"at": "2026-01-01T00:0')
    second = Steps(tmp_path / "p", clock)
    second.begin("data")
    clock.now += 10
    second.begin("evaluate")
    lines = read(tmp_path / "p")

    assert lines[-2]["phase"] == "data"
    assert lines[-2]["share"] == lines[0]["share"]
    assert "}" not in (tmp_path / "p").read_text().splitlines()[1]


def test_ticks_never_end_a_phase(tmp_path, clock):
    steps = Steps(tmp_path / "p", clock)
    steps.begin("evaluate")
    for _ in range(40):
        clock.now += 1
        steps.tick(16)

    assert read(tmp_path / "p")[-1]["phase_share"] == 0.99
