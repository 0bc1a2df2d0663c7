"""The public API: one file per noun, each listing the calls it consists of."""
