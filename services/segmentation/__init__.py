"""Segmentation: who belongs to which segment, by event and by the exact instant."""
