# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl)
"""Which bill rule applies to a ticket: the first whose criteria its facts meet (C39)."""

from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

# What a ticket says of itself: {name of a fact: its values}; several for tags, none for what is
# not set.
Facts = Mapping[str, frozenset[Hashable]]


class Criterion(NamedTuple):
    """The fact has one of the values, or, negated, none of them."""

    fact: str
    values: frozenset[Hashable]
    negated: bool


class Rule(NamedTuple):
    """Criteria of which all must be met, or any."""

    id: int
    match_all: bool
    criteria: tuple[Criterion, ...]


def meets(criterion: Criterion, facts: Facts) -> bool:
    """Whether the facts meet a criterion; one without values is met by nothing, or negated by all.

    Raises KeyError when the facts don't say what is asked.
    """
    return bool(facts[criterion.fact] & criterion.values) != criterion.negated


def applies(rule: Rule, facts: Facts) -> bool:
    """Whether the facts meet all criteria of a rule, or any; a rule without any never applies."""
    if not rule.criteria:
        return False
    met = (meets(criterion, facts) for criterion in rule.criteria)
    return all(met) if rule.match_all else any(met)


def first_match(rules: Iterable[Rule], facts: Facts) -> int | None:
    """The id of the first rule, in the order given, that applies; None: no rule does."""
    return next((rule.id for rule in rules if applies(rule, facts)), None)
