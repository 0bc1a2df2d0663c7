"""What engagement keeps only for so long."""

from typing import Final

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.retention import DataClass, by_statement, dead_letters, erasure_notes

# What was written to somebody goes; that, when and why it was, stays: caps and reports count it.
_CONTENT: Final = r"""
UPDATE action SET data = '\x80' WHERE action_id IN (
  SELECT action_id FROM action a WHERE at < $1 AND data <> '\x80'
    AND NOT EXISTS (SELECT FROM delivery d WHERE d.action_id = a.action_id)
  ORDER BY 1 LIMIT $2)
"""


_TASKS: Final = r"""
UPDATE task SET title = '', note = '', log = '\x90' WHERE task_id IN (
  SELECT task_id FROM task WHERE state = 'done' AND done_at < $1 AND title <> ''
  ORDER BY 1 LIMIT $2)
"""
_INBOXES: Final = """
DELETE FROM inbox WHERE action_id IN (
  SELECT action_id FROM inbox WHERE expires_at < $1 ORDER BY 1 LIMIT $2)
"""
_LINKS: Final = """
DELETE FROM link WHERE code IN (
  SELECT l.code FROM link l LEFT JOIN action a USING (action_id)
  WHERE a.action_id IS NULL OR a.at < $1 ORDER BY 1 LIMIT $2)
"""
_CONTENTS: Final = tuple(map(by_statement, (_CONTENT, _TASKS, _INBOXES, _LINKS)))


async def _contents(tx: Connection, before: Instant) -> int:
    return sum([await remove(tx, before) for remove in _CONTENTS])


def data_classes() -> tuple[DataClass, ...]:
    content = DataClass("message_content", _contents)
    return (dead_letters(), erasure_notes(), content)
