"""Do points follow the curve that was fitted to them?"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

UNLIKELY = 0.01
"""P-values below this say that the curve is not that of the points."""


@frozen
class Goodness:
    """Chi-square of the residuals over their standard errors, and how likely so much is."""

    chi_square: float
    degrees: int
    p_value: float

    @property
    def doubt(self) -> str:
        """What a reader must know; empty where the points follow the curve."""
        if self.p_value >= UNLIKELY:
            return ""
        return (
            f"the points do not follow the fitted curve (chi-square {self.chi_square:.3g} for "
            f"{self.degrees} degrees of freedom, p = {self.p_value:.1g}): its errors are too small"
        )


def goodness(residuals: Sequence[float], errors: Sequence[float], parameters: int) -> Goodness:
    """Of a weighted least squares fit; p is 1 where there are no points to spare."""
    from scipy.stats import chi2

    total = sum((one / error) ** 2 for one, error in zip(residuals, errors, strict=True))
    degrees = len(residuals) - parameters
    return Goodness(total, degrees, float(chi2.sf(total, degrees)) if degrees > 0 else 1.0)
