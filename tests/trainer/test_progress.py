import pytest

from trainer.progress import Progress


def test_a_stage_says_how_far_it_is_and_what_is_left():
    said = []
    Progress("training", said.append, every_seconds=0).update(0.5, "loss 0.1")

    assert said == ["training: 50%, loss 0.1, 0 s left"]


def test_it_speaks_seldom_and_at_the_end():
    said = []
    progress = Progress("training", said.append)
    for share in (0.1, 0.2, 1.0):
        progress.update(share)

    assert said == ["training: 100%, 0 s left"]


@pytest.mark.parametrize(
    ("seconds_ago", "left"), [(30, "30 s"), (600, "10 min"), (9000, "2 h 30 min")]
)
def test_the_time_left_follows_from_the_time_taken(monkeypatch, seconds_ago, left):
    said = []
    progress = Progress("training", said.append, every_seconds=0)
    progress._began -= seconds_ago
    progress.update(0.5)

    assert said[0].endswith(f"{left} left")


def test_what_an_earlier_run_did_costs_no_time_now():
    said = []
    progress = Progress("training", said.append, every_seconds=0)
    progress.resume(0.8)
    progress._began -= 60
    progress.update(0.9)

    assert said[0].endswith("1 min left")
