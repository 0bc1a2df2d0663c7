"""Ready campaigns, to be taken from the shelf one by one."""
