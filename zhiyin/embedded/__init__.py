"""The one-machine stack: PostgreSQL, Valkey and, if asked for, Apache Kafka as child processes."""
