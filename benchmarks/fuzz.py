"""Random updates, made from the Bot API's description, through the decoder and the handlers.

Three in four are as the description allows them, one is broken. Run from the repository's root:

    python -m benchmarks.fuzz --decoder 1000000 --handlers 100000 --processes 2
"""

import argparse
import json
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import monotonic

from tests.bot.fuzzing import Counts, handlers, through_decoder

CHUNK = {"decoder": 20_000, "handlers": 5_000}


def main() -> int:
    """Print the counts; 1 if any error was not handled."""
    options = _options()
    errors = 0
    for name, work in (("decoder", through_decoder), ("handlers", handlers)):
        number = getattr(options, name)
        if number:
            counts = _run(name, work, number, options)
            errors += sum(counts.errors.values())
            if options.examples and counts.examples:
                found = json.dumps(counts.examples, indent=1)
                Path(f"{options.examples}.{name}.json").write_text(found, encoding="utf-8")
    return int(errors > 0)


def _run(
    name: str, work: Callable[[int, int], Counts], number: int, options: argparse.Namespace
) -> Counts:
    """The counts of all chunks; each has a seed of its own, so that it can be run again."""
    started, total = monotonic(), Counts()
    sizes = [CHUNK[name]] * (number // CHUNK[name])
    sizes += [number % CHUNK[name]] if number % CHUNK[name] else []
    seeds = range(options.seed, options.seed + len(sizes))
    # A chunk's process ends with it: none grows.
    with ProcessPoolExecutor(options.processes, max_tasks_per_child=1) as pool:
        for done, counts in enumerate(pool.map(work, seeds, sizes), 1):
            total.add(counts)
            if done % options.every == 0 or done == len(sizes):
                _say(name, total, options, monotonic() - started)
    return total


def _say(name: str, counts: Counts, options: argparse.Namespace, seconds: float) -> None:
    kinds = ", ".join(f"{kind} {number}" for kind, number in counts.kinds.most_common())
    print(
        f"{name}: {counts.updates} updates of {len(counts.kinds)} kinds from seed {options.seed} "
        f"in {seconds:.0f} s; quarantined {counts.quarantined}; slowest "
        f"{counts.slowest_seconds:.2f} s; unhandled errors {sum(counts.errors.values())}",
        flush=True,
    )
    for error, number in counts.errors.most_common(20):
        print(f"  {number} × {error}", flush=True)
    if counts.updates >= getattr(options, name):
        print(f"  {kinds}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decoder", type=int, default=1_000_000, help="updates to decode")
    parser.add_argument("--handlers", type=int, default=100_000, help="updates to handle")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=10, help="chunks between two lines")
    parser.add_argument("--examples", help="begin of the files for updates that led to errors")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
