"""The language between services: every message on a topic and every stored document."""
