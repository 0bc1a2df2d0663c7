"""What is happening now, told while it happens: server-sent events from the event log."""
