"""Facts, events and rules in Chinese and in English."""
