"""How actions leave the platform: webhooks, e-mail, the log."""
