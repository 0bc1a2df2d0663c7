"""What providers report back, each in its own words and under its own signature."""
