"""The gateway: the only door. Takes events, answers reads, forwards management calls."""
