"""`python -m anyorder`."""

from __future__ import annotations

from anyorder.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
