"""What can go wrong in the demo, each as one line for the person at the terminal."""


class DemoError(Exception):
    """Ends the demo with exit code 1; the text says what to do."""
