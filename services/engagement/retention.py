"""What engagement keeps only for so long."""

from typing import Final

from zhiyin.runtime.retention import DataClass, by_statement, dead_letters, erasure_notes

# What was written to somebody goes; that, when and why it was, stays: caps and reports count it.
_CONTENT: Final = r"""
UPDATE action SET data = '\x80' WHERE action_id IN (
  SELECT action_id FROM action a WHERE at < $1 AND data <> '\x80'
    AND NOT EXISTS (SELECT FROM delivery d WHERE d.action_id = a.action_id)
  ORDER BY 1 LIMIT $2)
"""


def data_classes() -> tuple[DataClass, ...]:
    content = DataClass("message_content", by_statement(_CONTENT))
    return (dead_letters(), erasure_notes(), content)
