"""Campaigns and segments tried on lives as they were: the live code on a virtual clock."""
