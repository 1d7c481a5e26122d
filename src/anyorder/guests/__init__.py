"""Us inside others: their runtime reads and acknowledges, we decide and write."""
