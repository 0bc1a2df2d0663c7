"""Pure decisions of segmentation: no I/O, no clock, no settings."""
