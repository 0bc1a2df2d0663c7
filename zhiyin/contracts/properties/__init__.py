"""The typed properties of every event, one file per family of types (`purchase.*`, ...)."""
