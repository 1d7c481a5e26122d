"""The pure core: it decides. No IO, no clock, no randomness, no logging; time is an argument.

Data flows one way: an `Event` (event.py) meets a `Memory` (memory.py) under a table's `Limits`
(floor.py); `decide` (decide.py) answers with one reason of outcome.py; `batch.py` does it for many
events at once.
"""
