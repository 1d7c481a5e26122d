"""The whole story on one page, in five acts: what goes wrong when events arrive in any order, and
what anyorder does about it.

Everything runs here and now, on SQLite and msgspec alone, from one seed: the numbers that are
printed were counted, never written down.
"""

from __future__ import annotations
