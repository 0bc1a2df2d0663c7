"""The shelf of ready campaigns: shown with what of it is installed, and installed one by one."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from services.engagement.domain.playbooks.ready import Playbook
from services.engagement.domain.playbooks.shelf import LIBRARY, playbook
from services.engagement.editor import Editor
from services.engagement.refusals import no_such
from services.engagement.store import settings, surveys
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

View = dict[str, Any]
_LANGUAGES: Final = ("zh", "en")


class Playbooks:
    def __init__(self, db: Database, editor: Editor, clock: Clock) -> None:
        self._db = db
        self._editor = editor
        self._clock = clock

    async def shown(self, key: str | None = None) -> list[View]:
        """One, or all. Raises Problem (404)."""
        chosen = LIBRARY if key is None else (_existing(key),)
        async with self._db.connection() as connection:
            states = {each.spec.key: each.state for each in await settings.campaigns(connection)}
        return [_view(each, states) for each in chosen]

    async def install(
        self, key: str, actor: str, *, launch: bool, brand: str | None = None
    ) -> View:
        """Its coupons and texts where there are none of their keys, then the campaign; what is
        there already stays as it is. Raises Problem: 404, 409 where it may not be launched yet."""
        found = _existing(key)
        async with self._db.transaction() as tx:
            await settings.touch(tx)
            made = await _put_in(tx, found, self._clock())
            there = await settings.campaign(tx, key)
            if there is not None and brand is not None and there.spec.brand != brand:
                raise Problem(409, "campaign_exists", f"{key} is installed, for another brand")
        if there is None:
            spec = msgspec.structs.replace(found.spec, brand=brand)
            await self._editor.create(spec, actor)
            made.append(f"campaign {key}")
        if launch:
            await self._editor.move(key, "launch", actor)
        [view] = await self.shown(key)
        return {**view, "created": made}


async def _put_in(tx: Connection, found: Playbook, now: Instant) -> list[str]:
    known = {key for key, _ in await settings.templates(tx)}
    made = [
        f"coupon-template {coupon.key}"
        for coupon in found.coupons
        if await settings.add_coupon_template(tx, coupon, now)
    ]
    for name, template in found.templates.items():
        if name not in known:
            await settings.save_template(tx, name, template, now)
            made.append(f"template {name}")
    for name, survey in found.surveys.items():
        if await surveys.find(tx, name) is None:
            await surveys.save(tx, name, survey, now)
            made.append(f"survey {name}")
    return made


def _existing(key: str) -> Playbook:
    found = playbook(key)
    if found is None:
        raise no_such("playbook", key)
    return found


def _view(found: Playbook, states: Mapping[str, str]) -> View:
    return {
        "key": found.key,
        "group": found.group,
        "names": dict(zip(_LANGUAGES, found.name, strict=True)),
        "descriptions": dict(zip(_LANGUAGES, found.about, strict=True)),
        "campaign": msgspec.to_builtins(found.spec),
        "templates": msgspec.to_builtins(found.templates),
        "coupon_templates": msgspec.to_builtins(found.coupons),
        "surveys": msgspec.to_builtins(found.surveys),
        "tells": list(found.tells),
        "installed": states.get(found.key),
    }
