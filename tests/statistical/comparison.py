"""What one comparison with theory gave, and the file of those that docs/validation.md shows.

``z_score`` makes comparisons, ``conftest`` holds them against the file, ``docs/make_validation.py`` writes it and the
page.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

FILE = Path(__file__).with_name("figures.csv")

# The same seeds give the same figures; this is left for other machines, whose logarithms may differ in the last bit.
SAME_IN_STANDARD_ERRORS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A mean of independent values, mostly of replications, beside the value by formula.

    Comparisons of one file of tests that say the same ``what`` share a row; ``part`` tells them apart. ``mutant`` says
    what is wrong on purpose; it is empty for the simulator as it is.
    """

    what: str
    part: str
    unit: str
    mutant: str
    expected: float
    mean: float
    standard_error: float
    count: int

    @property
    def z(self) -> float:
        """Distance of the mean from the value by formula, in standard errors; infinite where nothing varies."""
        distance = self.mean - self.expected
        if self.standard_error == 0:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / self.standard_error

    def __str__(self) -> str:
        words = ", ".join(filter(None, (self.what, self.part, self.mutant and f"mutant {self.mutant}")))
        found = f"{self.mean:.6g} ± {self.standard_error:.2g} of {self.count} values, {self.expected:.6g} by formula"
        return f"[{words}: {found}]"

    def is_as(self, other: Comparison) -> bool:
        """Whether both say the same, in words and, as far as anybody sees, in figures."""
        words = (self.what, self.part, self.unit, self.mutant, self.count)
        if words != (other.what, other.part, other.unit, other.mutant, other.count):
            return False
        room = SAME_IN_STANDARD_ERRORS * max(self.standard_error, other.standard_error) + 1e-9 * abs(self.mean)
        return (
            math.isclose(self.expected, other.expected, rel_tol=1e-6, abs_tol=1e-12)
            and abs(self.mean - other.mean) <= room
            and math.isclose(self.standard_error, other.standard_error, rel_tol=SAME_IN_STANDARD_ERRORS)
        )


# By the name of the test: ``test_waiting.py::test_the_mean_wait``.
ByTest = Mapping[str, Sequence[Comparison]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All comparisons, with the version of lambdasim and the day that they were made."""

    version: str
    date: str
    by_test: ByTest

    def are_as(self, made: ByTest) -> bool:
        """Whether another run of the same tests gave the same."""
        return list(self.by_test) == list(made) and not any(difference(self.by_test, test, made[test]) for test in made)


_COLUMNS = ("test", *(field.name for field in fields(Comparison)))


def read() -> Figures:
    """The comparisons that the page shows."""
    by_test: dict[str, list[Comparison]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        _, version, date = next(csv.reader(file))
        for row in csv.DictReader(file):
            comparison = Comparison(
                what=row["what"],
                part=row["part"],
                unit=row["unit"],
                mutant=row["mutant"],
                expected=float(row["expected"]),
                mean=float(row["mean"]),
                standard_error=float(row["standard_error"]),
                count=int(row["count"]),
            )
            by_test.setdefault(row["test"], []).append(comparison)
    return Figures(version=version, date=date, by_test=by_test)


def write(figures: Figures) -> None:
    """Replaces the file."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("lambdasim", figures.version, figures.date))
        lines.writerow(_COLUMNS)
        for test, comparisons in figures.by_test.items():
            for comparison in comparisons:
                cells = (f"{value:.10g}" if isinstance(value, float) else value for value in astuple(comparison))
                lines.writerow((test, *cells))


def difference(shown: ByTest, test: str, made: Sequence[Comparison]) -> str:
    """What is not in ``shown`` as this test has just found it, in one sentence; empty if all is."""
    before = shown.get(test, ())
    if len(before) != len(made):
        return f"it compares {len(made)} times, and docs/validation.md was made with {len(before)} comparisons of it"
    for old, new in zip(before, made, strict=True):
        if not new.is_as(old):
            return f"docs/validation.md was made with {old}, and now it is {new}"
    return ""
