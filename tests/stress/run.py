"""Random fault plans of one virtual hour each, with all invariants checked.

`make stress STRESS_PLANS=500 STRESS_SEED=0` runs the seeds from STRESS_SEED on, on all cores. What
did not hold is printed with the command that replays it; the exit status is 1 then.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor

import attrs

from ticklane.simulation import Campaign, campaign_keys

SYMBOLS = 6
TOLD_EVERY = 25


@attrs.frozen
class Outcome:
    """What one plan came to."""

    seed: int
    faults: int
    broken: list[str]


def stress(seed: int) -> Outcome:
    """Run the plan of one seed."""
    keys = campaign_keys(SYMBOLS)
    result = Campaign(scenario="S1", keys=keys, seed=seed, faults=None, check=True).run()
    return Outcome(seed, len(result.faults), [str(each) for each in result.broken])


def main(plans: int, first: int) -> int:
    """Run so many; return the exit status."""
    began_s, failed, faults = time.monotonic(), 0, 0
    say(f"{plans} plans, seeds {first} to {first + plans - 1}")
    with ProcessPoolExecutor() as processes:
        for number, outcome in enumerate(processes.map(stress, range(first, first + plans)), 1):
            failed += bool(outcome.broken)
            faults += outcome.faults
            tell(outcome)
            if number % TOLD_EVERY == 0 or number == plans:
                took_s = time.monotonic() - began_s
                say(f"{number} plans, {faults} faults, {failed} failed, {took_s:.0f} s")
    return 1 if failed else 0


def tell(outcome: Outcome) -> None:
    """Print what did not hold."""
    for broken in outcome.broken:
        say(f"seed {outcome.seed}: {broken}")
    if outcome.broken:
        seed = f"--symbols {SYMBOLS} --seed {outcome.seed}"
        say(f"again: ticklane campaign S1 {seed} --faults random --check")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
