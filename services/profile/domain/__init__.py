"""What the profile service decides, without I/O."""
