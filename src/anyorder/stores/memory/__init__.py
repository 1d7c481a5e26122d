"""This process's memory, for tests."""
