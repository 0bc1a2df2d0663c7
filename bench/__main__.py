"""`python -m bench [profile] [segments] [time] [backfill] [year] [gateway] [platform] [person]
[bodies] [destinations] [playbooks]`: without arguments all of them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import (
    destinations,
    gateway_door,
    heavy_person,
    hostile_bodies,
    playbook_year,
    profile_stage,
    segment_backfill,
    segment_changes,
    segment_time,
    virtual_year,
    whole_platform,
)
from bench.report import Figure, keep, show

BENCHMARKS: Final[Mapping[str, tuple[str, Callable[[], Sequence[Figure]]]]] = {
    "profile": ("(a) profile stage", profile_stage.run),
    "segments": ("(b) segmentation", segment_changes.run),
    "gateway": ("(c) gateway", gateway_door.run),
    "time": ("(f) segmentation: time", segment_time.run),
    "backfill": ("(g) segmentation: backfill", segment_backfill.run),
    "year": ("(i) virtual year", virtual_year.run),
    "playbooks": ("(m) virtual year of all playbooks", playbook_year.run),
    "platform": ("(d) whole platform, (e) memory", whole_platform.run),
    "destinations": ("(l) one destination hangs", destinations.run),
    "person": ("(h) somebody with a long history", heavy_person.run),
    "bodies": ("(n) gateway: hostile bodies", hostile_bodies.run),
}


def main(wanted: Sequence[str]) -> int:
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"unknown benchmark {unknown[0]}: there are {', '.join(BENCHMARKS)}\n")
        return 2
    results = {}
    for name in wanted or BENCHMARKS:
        title, run = BENCHMARKS[name]
        results[title] = run()
        show(title, results[title])
    keep(Path("bench-results.json"), results)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
