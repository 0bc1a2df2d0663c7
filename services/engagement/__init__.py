"""Engagement: decides once what happens to whom, and has it done."""
