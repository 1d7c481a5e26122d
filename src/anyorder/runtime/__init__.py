"""The loop: source -> decode -> batch -> guarded write + quarantine -> commit the frontier."""
