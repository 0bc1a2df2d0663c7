"""The segments every platform has from its first start; operators may give them other rules."""
