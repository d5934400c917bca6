"""How many queries arrive when: a rate with a daily rhythm and bursts, for tests of throughput and latency.

Arrival times are functions of a seed: the same load can be put on two versions of a system.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, floor, log, tau

from envs.chance import uniform


@dataclass(frozen=True, slots=True)
class Load:
    """A rate of arrivals over time.

    Attributes:
        requests_per_second: mean rate without bursts.
        period_seconds: of the rhythm; a day by default.
        amplitude: 0 to 1: how far the rate swings about its mean.
        peak_seconds: when in the period it is highest.
        bursts_per_period: at times of their own in every period.
        burst_seconds: how long each lasts, a period at most.
        burst_factor: what the rate is multiplied by meanwhile, at least 1; bursts that overlap count once.
    """

    requests_per_second: float = 1.0
    period_seconds: float = 86_400.0
    amplitude: float = 0.0
    peak_seconds: float = 0.0
    bursts_per_period: int = 0
    burst_seconds: float = 60.0
    burst_factor: float = 1.0

    def rate(self, seed: int, seconds: float) -> float:
        """Arrivals per second at a time.

        requests_per_second * (1 + amplitude * cos(2 pi (seconds - peak) / period)) * (burst_factor in a burst, else 1)
        """
        swing = 1.0 + self.amplitude * cos(tau * (seconds - self.peak_seconds) / self.period_seconds)
        return self.requests_per_second * swing * (self.burst_factor if self._bursts(seed, seconds) else 1.0)

    def arrival_times(self, seed: int, until: float) -> Iterator[float]:
        """Seconds in [0, until), rising: a Poisson process of this rate.

        By thinning one of the highest rate (Lewis and Shedler 1979, "Simulation of nonhomogeneous Poisson processes").
        """
        highest = self.requests_per_second * (1.0 + self.amplitude) * self.burst_factor
        seconds, candidate = 0.0, 0
        while (seconds := seconds - log(1.0 - uniform("gap", seed, candidate)) / highest) < until:
            if uniform("thin", seed, candidate) * highest < self.rate(seed, seconds):
                yield seconds
            candidate += 1

    def _bursts(self, seed: int, seconds: float) -> bool:
        """Whether it is in a burst of this period, or of the last one that is not over."""
        period = floor(seconds / self.period_seconds)
        starts = (
            (number + uniform("burst", seed, number, burst)) * self.period_seconds
            for number in (period - 1, period)
            for burst in range(self.bursts_per_period)
        )
        return any(0.0 <= seconds - start < self.burst_seconds for start in starts)
