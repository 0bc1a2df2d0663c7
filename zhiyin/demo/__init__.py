"""The demo: real purchases, clicks and words as a stream of events, and what came of them."""
