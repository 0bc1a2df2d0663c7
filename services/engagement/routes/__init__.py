"""The HTTP calls of engagement; the gateway checks keys and scopes and forwards them."""
