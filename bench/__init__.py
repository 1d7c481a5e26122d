"""Speed, as ratios taken in one run. `python -m bench` prints a table; nothing here is a test."""
