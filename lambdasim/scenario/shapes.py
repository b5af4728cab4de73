"""How the rate of a traffic source changes over time: stages, in k6's words, and named shapes that expand to stages."""

from __future__ import annotations

from lambdasim.scenario.fields import Duration, Model, PositiveRate, Rate


class Stage(Model):
    """A linear change of the rate to ``target`` over ``duration``; ``0s`` is a jump."""

    duration: Duration
    target: Rate
    name: str | None = None


class Spike(Model):
    """Baseline, then from ``at`` a ramp up to the peak, a hold, and a ramp down of the same length."""

    baseline: Rate = 0.0
    peak: PositiveRate
    at: Duration
    ramp: Duration = 0
    hold: Duration

    def stages(self) -> tuple[Stage, ...]:
        """The spike as plain stages that start at the baseline."""
        steps = ((self.at, self.baseline), (self.ramp, self.peak), (self.hold, self.peak), (self.ramp, self.baseline))
        return tuple(Stage.model_construct(duration=duration, target=target) for duration, target in steps)


class Shape(Model):
    """A named shape; it expands to stages."""

    spike: Spike
