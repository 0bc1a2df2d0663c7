"""The predicate language of tags, segments and campaigns: parse, check, compile, explain. Pure.

A rule comes as a JSON tree, as text or as JsonLogic, and means the same whichever way it came.

rule = parse({"last": {"event": "purchase.completed"}, "older_than": "90d"})
matches, next_flip = compile_rule(rule).evaluate(Person(snapshot, segments), now)
"""

from zhiyin.rules.compile import Compiled, compile_rule
from zhiyin.rules.compiling.calendar import Day, day_reader
from zhiyin.rules.errors import Place, RuleError, RuleProblem
from zhiyin.rules.explain import Explanation
from zhiyin.rules.jsonlogic import from_jsonlogic
from zhiyin.rules.options import Options
from zhiyin.rules.parse import parse, parse_where
from zhiyin.rules.person import Person
from zhiyin.rules.reads import reads, segments_read, touched
from zhiyin.rules.text.reading import Written, parse_text, read_text
from zhiyin.rules.text.writing import write_text
from zhiyin.rules.tree import Condition, Rule
from zhiyin.rules.unparse import unparse
from zhiyin.rules.verdict import Verdict
from zhiyin.rules.where import compile_where
from zhiyin.rules.words.language import LANGUAGES, Language, Words
from zhiyin.rules.words.values import day_and_time

__all__ = [
    "LANGUAGES",
    "Compiled",
    "Condition",
    "Day",
    "Explanation",
    "Language",
    "Options",
    "Person",
    "Place",
    "Rule",
    "RuleError",
    "RuleProblem",
    "Verdict",
    "Words",
    "Written",
    "compile_rule",
    "compile_where",
    "day_and_time",
    "day_reader",
    "from_jsonlogic",
    "parse",
    "parse_text",
    "parse_where",
    "read_text",
    "reads",
    "segments_read",
    "touched",
    "unparse",
    "write_text",
]
