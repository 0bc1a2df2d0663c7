"""What is true of a person at an instant, computed from their facts (pure)."""
