"""A rule that reads health facts holds for nobody who has not consented, whatever else it says:
`not`, `missing` and tags that last would otherwise let it hold where there is nothing to read."""

from typing import Final

from zhiyin.contracts.health import PURPOSE, is_health
from zhiyin.rules.tree import AllOf, Anniversary, AnyOf, FactIs, Not, Rule

_ATTRIBUTES: Final = "attributes."
_CONSENT: Final = FactIs(f"consents.{PURPOSE}.granted", "eq", True)


def with_consent(rule: Rule) -> Rule:
    """The rule as it is in force: with the consent it takes, if it takes one."""
    return AllOf((_CONSENT, rule)) if _about_health(rule) else rule


def _about_health(rule: Rule) -> bool:
    match rule:
        case AllOf(clauses) | AnyOf(clauses):
            return any(map(_about_health, clauses))
        case Not(clause):
            return _about_health(clause)
        case FactIs(path=path) | Anniversary(path=path):
            return path.startswith(_ATTRIBUTES) and is_health(path.removeprefix(_ATTRIBUTES))
        case _:
            return False
