"""The gate before a candidate may serve: its figures beside those of the model in service."""

from collections.abc import Iterator
from pathlib import Path

from trainer import criteria, criteria_labels, findings, verdict
from trainer.config import TrainingError
from trainer.findings import BASE, CHAMPION, Evaluation
from trainer.verdict import Criterion, Verdict

AGAINST = (CHAMPION, BASE, "ngrams")


def decide(
    evaluation: Evaluation, against: str | None = None, new_labels: int | None = None
) -> Verdict:
    """Promote only if every criterion leaves the way open.

    The incumbent is `against`, else the champion, else the base. All were judged on the same rows
    by the same thresholds. Raises TrainingError if the evaluation has no such comparison.
    """
    incumbent = evaluation.incumbent(against)
    comparison = evaluation.comparison(incumbent.name) if incumbent else None
    if incumbent is None or comparison is None:
        msg = f"the evaluation compares the candidate with no {against or 'champion or base'}"
        raise TrainingError(msg)
    candidate = evaluation.candidate

    def asked() -> Iterator[Criterion]:
        yield criteria.macro_ap(comparison, evaluation.gain)
        yield from criteria_labels.labels_right(evaluation.gain)
        yield from criteria.categories_ap(evaluation, comparison, incumbent)
        yield criteria.regressions(candidate, incumbent)
        yield from criteria.suites(candidate, incumbent)
        yield criteria.identity_gap(candidate, incumbent)
        yield criteria.speed(candidate, incumbent)
        yield criteria.size(candidate, incumbent)
        yield from criteria_labels.raters(evaluation)
        yield from criteria_labels.doubted(evaluation)
        labels = evaluation.labels
        if new_labels is None and labels:
            yield criteria_labels.new_labels(candidate, incumbent, labels.new, labels.needed)
        else:
            yield criteria_labels.new_labels(candidate, incumbent, new_labels)

    answers = tuple(asked())
    return Verdict(
        promote=not any(c.outcome.blocks for c in answers),
        candidate=candidate.version,
        incumbent=incumbent.name,
        incumbent_version=incumbent.version,
        data=evaluation.data.name,
        data_digest=evaluation.data.digest,
        criteria=answers,
    )


def compare(
    directory: Path, against: str | None, new_labels: int | None, target: Path | None
) -> Verdict:
    """Decide on the evaluation of a directory, and write the verdict beside it or to `target`.

    Raises TrainingError if the evaluation can't be read or lacks the model to compare with.
    """
    if against is not None and against not in AGAINST:
        msg = f"--against {against}: must be one of {', '.join(AGAINST)}"
        raise TrainingError(msg)
    found = decide(findings.read(directory), against, new_labels)
    verdict.write(found, target or directory / "verdict.json")
    return found
