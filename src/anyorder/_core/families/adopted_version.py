"""Where a row that was there before its table was guarded stands among the events of its key: at
the version in its own column."""

from __future__ import annotations

from anyorder._core.families.scalar import ScalarPosition
from anyorder._core.position import Description


class AdoptedVersion(ScalarPosition, frozen=True, array_like=True, tag="adopted version", gc=False):
    """A version that no event told. It compares as one that an event tells; who keeps rows must
    know the difference, since such a row holds columns of which its event may have said nothing."""

    @property
    def version_text(self) -> str:
        """The version alone, for people."""
        return super().text()

    def text(self) -> str:
        return f"adoption, {self.version_text}"

    def describe(self) -> Description:
        return Description("what was there", self.text())
