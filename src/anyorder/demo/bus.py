"""A bus without order: it delays, duplicates and redelivers, like every bus on a bad day. One seed,
one schedule."""

from __future__ import annotations

from random import Random

REPEATED = 0.20  # the share of records that are delivered twice
DELAYED = 0.40  # the share of deliveries that are delayed a little
DELAY = 20  # by so many records on average
STUCK = 0.08  # the share that is delayed a lot
STUCK_DELAY = 300
REDELIVERED = 120  # a consumer restarts once, and this many deliveries come again


def unordered(number: int, random: Random) -> list[int]:
    """Places of records (0 to `number` - 1) in the order of their arrival; every record at least
    once."""
    arrivals = []
    for place in range(number):
        copies = 1 + (random.random() < REPEATED)
        arrivals += [(place + _delay(random), random.random(), place) for _ in range(copies)]
    order = [place for _, _, place in sorted(arrivals)]
    restart = random.randrange(len(order) // 2, len(order))
    return order[:restart] + order[max(0, restart - REDELIVERED) :]


def _delay(random: Random) -> float:
    dice = random.random()
    if dice < STUCK:
        return random.expovariate(1 / STUCK_DELAY)
    return random.expovariate(1 / DELAY) if dice < STUCK + DELAYED else 0.0


MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
LATENESS = ((0.80, 3.0), (0.92, 10 * MINUTE), (0.975, 6 * HOUR), (1.0, 1.8 * DAY))
"""Up to which share of deliveries, and how late these are on average: seconds for most, and a tail
of days."""


def lateness(random: Random) -> float:
    """Seconds from commit to arrival."""
    dice = random.random()
    mean = next(mean for share, mean in LATENESS if dice <= share)
    return random.expovariate(1 / mean)
