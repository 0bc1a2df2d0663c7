"""What every service runs on: event log, consumer, outbox, timers, clients, telemetry."""
