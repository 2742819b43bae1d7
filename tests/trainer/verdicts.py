"""Verdicts on evaluations that are made up, and what they say of one criterion."""

from tests.trainer import evaluations
from trainer import compare


def decide(content, *arguments):
    return compare.decide(evaluations.typed(content), *arguments)


def criterion(verdict, name):
    return next(c for c in verdict.criteria if c.name == name)


def outcome(content, name, *arguments):
    return criterion(decide(content, *arguments), name).outcome
