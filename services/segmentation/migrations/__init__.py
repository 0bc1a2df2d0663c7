"""Alembic migrations of the schema `segmentation`."""
