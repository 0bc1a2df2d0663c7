"""The library of ready tags: shown with what of it is installed, and installed."""

from services.profile import tag_rules
from services.profile.domain.ready_tags import LIBRARY
from services.profile.domain.ready_tags.ready import Ready
from services.profile.editor import Editor
from zhiyin.contracts.tag_rules import Installed, InstallSpec, ReadyTag, TagRuleSpec
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.problems import FieldError, Problem


async def library(connection: Connection) -> list[ReadyTag]:
    stored = await tag_rules.every(connection)
    in_force = {tag: one.version for tag, one in stored.items() if not one.deleted}
    return [
        ReadyTag(
            tag=each.tag,
            group=each.group,
            name=each.name,
            name_en=each.name_en,
            description=each.description,
            description_en=each.description_en,
            rule=each.rule,
            ttl=each.ttl,
            installed=in_force.get(each.tag),
        )
        for each in LIBRARY
    ]


async def install(editor: Editor, wanted: InstallSpec) -> Installed:
    """Raises Problem (422) for tags or groups the library does not have."""
    _check("tags", wanted.tags, {each.tag for each in LIBRARY})
    _check("groups", wanted.groups, {each.group for each in LIBRARY})
    everything = wanted.tags is None and wanted.groups is None
    chosen = [
        each
        for each in LIBRARY
        if everything or each.tag in (wanted.tags or ()) or each.group in (wanted.groups or ())
    ]
    return await editor.install({each.tag: spec_of(each) for each in chosen}, wanted.replace)


def spec_of(ready: Ready) -> TagRuleSpec:
    return TagRuleSpec(
        ready.rule, ready.ttl, ready.name, ready.description, ready.name_en, ready.description_en
    )


def _check(field: str, named: list[str] | None, known: set[str]) -> None:
    errors = [
        FieldError(f"/{field}/{index}", "unknown", f"the library has no {name!r}")
        for index, name in enumerate(named or ())
        if name not in known
    ]
    if errors:
        raise Problem(422, "not_in_library", errors[0].message, errors=errors)
