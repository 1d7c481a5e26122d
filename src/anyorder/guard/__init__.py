"""A batch into any store: decided, written, and what must wait kept. Knows no backend."""
