"""What the gateway keeps in PostgreSQL: the vault, keys, the audit trail, remembered answers."""
