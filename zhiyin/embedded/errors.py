"""What can go wrong when starting a server: one class, whose text is one line for the user."""


class EmbeddedError(Exception):
    """A server could not be started or stopped. `str(error)` is one line that says what to do."""
