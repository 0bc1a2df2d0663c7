"""From a clause to a function of a person and an instant, specialised once."""
