"""Identity, facts, tags: events in, one profile per person out."""
