"""The `zhiyin` command: one file per sub-command, wired in main.py."""
