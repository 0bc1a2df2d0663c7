"""From a JSON tree to a rule: strict, and plain about what is wrong and where."""
