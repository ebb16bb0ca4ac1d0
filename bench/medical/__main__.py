"""Runs the medical benchmarks one after the other.

    python -m bench.medical                  all of them
    python -m bench.medical guidelines       one

`train` is not among them: it makes the weights that the kit ships.
"""

from __future__ import annotations

import argparse
import pkgutil
import subprocess
import sys

import bench.medical

NOT_BENCHMARKS = ("__main__", "train", "scifact", "vectors")


def names() -> list[str]:
    """Every benchmark of the package."""
    found = [module.name for module in pkgutil.iter_modules(bench.medical.__path__)]
    return [name for name in found if name not in NOT_BENCHMARKS and "train" not in name]


def main() -> int:
    """Run what was asked for; returns 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.medical", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(names())}; all by default")
    chosen = parser.parse_args().names or names()
    unknown = set(chosen) - set(names())
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    failed = []
    for name in chosen:
        print(f"Measuring medical {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.medical.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
