"""What is told of a row: what is remembered of it and why, in sentences."""
