"""Benchmarks: ratios against peers and against this machine's limits, in one run."""
