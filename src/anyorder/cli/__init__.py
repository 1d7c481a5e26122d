"""The command line: one module a verb; `main` imports only the verb that is asked for."""
