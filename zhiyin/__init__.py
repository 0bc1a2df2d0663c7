"""The shared kernel of Zhiyin; it knows no service."""
