"""Deliveries in, acknowledgements out: one module a source."""
