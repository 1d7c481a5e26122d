"""What `anyorder quarantine` can do, an act a module."""
