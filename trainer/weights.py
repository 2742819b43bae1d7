"""What a moderator's label weighs beside a base row: audits more, and nobody too much."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that labels weigh together, as shares of the base rows' weight.

    Two moderators together weigh a fifth of the base rows at most: enough to teach the model
    something new, too little to outweigh what it knows (docs/experiments.md).
    """

    all: float = 3.0
    moderator: float = 0.1
    author: float = 0.05
    chat: float = 1.0
    audit: float = 20.0  # of one audit row beside another label: 1 / probability, no more


def weigh(votes: pd.DataFrame, base: float, limits: Limits = Limits()) -> pd.Series:
    """The weight of each text by its key; `votes` as in `Settled`, `base` the base rows' weight.

    A text counts for each of its moderators and groups in equal parts. Each cap scales its owner's
    texts down and never others' up, so after the last one all of them hold.
    """
    if votes.empty:
        return pd.Series(dtype=float)
    by_key = votes.groupby("key", sort=True)
    draw = by_key.probability.min()  # the rarer draw stands for more messages
    weights = (1 / draw).clip(1, limits.audit).fillna(1.0)
    shares = 1 / by_key.size()
    parts = votes.assign(share=votes.key.map(shares))
    for owner, limit in (
        ("author", limits.author),
        ("chat", limits.chat),
        ("moderator", limits.moderator),
    ):
        # Of an author, or a group, that isn't known nobody can say how much is theirs.
        known = parts[parts[owner].notna() & ((parts[owner] != 0) | (owner != "author"))]
        weights = _capped(weights, known, owner, limit * base)
    return weights * min(1.0, limits.all * base / max(float(weights.sum()), 1e-9))


def _capped(weights: pd.Series, parts: pd.DataFrame, owner: str, limit: float) -> pd.Series:
    """The weights with what each owner has by them scaled to `limit`; a text of several owners by
    the smallest of their factors."""
    if parts.empty:
        return weights
    mass = parts.share * parts.key.map(weights)
    factor = (limit / mass.groupby(parts[owner]).sum()).clip(upper=1.0)
    smallest = parts[owner].map(factor).groupby(parts.key).min()
    return weights * smallest.reindex(weights.index).fillna(1.0)
