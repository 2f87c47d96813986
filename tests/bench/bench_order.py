"""How many reviews the order of the queue saves against a random one, on synthetic ground; prints a table.

    nice python -m tests.bench.bench_order [--seeds 3] [--out curves.json]

An oracle reviews the next sites of a campaign through the services of the review screen; after each batch a network
is trained from scratch on what is verified so far and scored on the same frozen test set. One arm is served by
``refresh_order``, with the newest network's proposals on all that is still open; the other at random. Pool and test
ground are invented: the pool has the types in about the shares of the Chilean seed (half waste rock dumps, few
leach pads), a third look-alikes, and seeds that are incomplete and now and then wrong; the test ground has as many of
each type. The score is the mean over the types of AP at IoU 0.5. Each arm of each seed has a database of its own;
both learn at once, on one thread each.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Any

GROUND = "ground"
REVIEWS = {"order": (30, 60), "random": (60, 100)}
"""After so many reviews each arm is trained and scored; 60 of the order are to reach what 100 at random reach."""


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--seeds", type=int, default=3)
    reader.add_argument("--pool", type=int, default=400)
    reader.add_argument("--steps", type=int, default=1200, help="of the optimiser, for each network")
    reader.add_argument("--out", type=Path)
    reader.add_argument("--arm", choices=(GROUND, *REVIEWS), help=argparse.SUPPRESS)
    reader.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    given = reader.parse_args()
    if given.arm:
        import django

        django.setup()
        from tests.bench.taught import review_and_learn, settle

        if given.arm == GROUND:
            settle(given.seed, given.pool)
            return
        say(json.dumps(review_and_learn(given.arm, given.seed, given.pool, REVIEWS[given.arm], given.steps)))
        return
    curves = [curve for seed in range(given.seeds) for curve in _both_arms(seed, given)]
    if given.out:
        given.out.write_text(json.dumps(curves, indent=1))
    show(curves)


def _both_arms(seed: int, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The ground of a seed, and each arm on a copy of its database."""
    with tempfile.TemporaryDirectory(prefix="mad-order-") as folder:
        ground = Path(folder) / GROUND
        _apart(GROUND, seed, given, ground)
        for arm in REVIEWS:
            shutil.copytree(ground, Path(folder) / arm)
        with ThreadPoolExecutor(len(REVIEWS)) as pool:
            told = list(pool.map(lambda arm: _apart(arm, seed, given, Path(folder) / arm), REVIEWS))
        for arm, lines in zip(REVIEWS, told, strict=True):
            points: list[dict[str, Any]] = json.loads(lines.splitlines()[-1])
            for point in points:
                say(
                    f"seed {seed}, {arm:6}, {point['reviews']:4} reviews: AP50 {point['ap50']:.3f}  {point['verified']}"
                )
            yield {"arm": arm, "seed": seed, "points": points}


def _apart(arm: str, seed: int, given: argparse.Namespace, home: Path) -> str:
    """Do one part in a process of its own; what it prints."""
    command = [sys.executable, "-m", "tests.bench.bench_order", "--arm", arm, "--seed", str(seed)]
    command += ["--pool", str(given.pool), "--steps", str(given.steps)]
    environment = os.environ | {"MAD_HOME": str(home), "DJANGO_SETTINGS_MODULE": "mad_web.settings"}
    environment |= {"LOG_LEVEL": "ERROR", "MAD_TORCH_THREADS": "1", "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def show(curves: list[dict[str, Any]]) -> None:
    """Print the mean of each arm after each number of reviews, and how few of the order reach 100 at random."""
    say(f"\n{'reviews':>8}" + "".join(f"{arm:>10}" for arm in REVIEWS))
    average: dict[str, dict[int, float]] = {arm: {} for arm in REVIEWS}
    for reviews in sorted({reviews for some in REVIEWS.values() for reviews in some}):
        cells = []
        for arm, found in average.items():
            scores = [p["ap50"] for c in curves if c["arm"] == arm for p in c["points"] if p["reviews"] == reviews]
            if scores:
                found[reviews] = mean(scores)
            cells.append(f"{found[reviews]:10.3f}" if scores else f"{'':10}")
        say(f"{reviews:8}" + "".join(cells))
    full = max(REVIEWS["random"])
    goal = average["random"][full]
    enough = next((reviews for reviews, score in sorted(average["order"].items()) if score >= goal), None)
    say(
        f"the AP50 of {full} random reviews ({goal:.3f}) is reached after {enough} in order: {enough / full:.0%}"
        if enough
        else f"the AP50 of {full} random reviews ({goal:.3f}) is not reached in order"
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
