"""What Segment's and RudderStack's libraries send, in the words of our contract (pure)."""
