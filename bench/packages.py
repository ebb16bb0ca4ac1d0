"""Runs the benchmarks of one case, one after the other, each in a process of its own."""

from __future__ import annotations

import argparse
import pkgutil
import subprocess
import sys
from collections.abc import Collection
from types import ModuleType


def run_package(package: ModuleType, *, beside: Collection[str] = ()) -> int:
    """Run the benchmarks named on the command line, or all; returns 1 if one failed.

    Args:
        package: Holds a module for each benchmark; those named train... make shipped weights.
        beside: Modules of the package that measure nothing themselves.
    """
    modules = [module.name for module in pkgutil.iter_modules(package.__path__)]
    known = [n for n in modules if n not in beside and not n.startswith(("__", "train"))]
    parser = argparse.ArgumentParser(prog=f"python -m {package.__name__}",
                                     description=package.__doc__)  # fmt: skip
    parser.add_argument("names", nargs="*", help=f"of {', '.join(known)}; all by default")
    chosen = parser.parse_args().names or known
    unknown = set(chosen) - set(known)
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    failed = []
    for name in chosen:
        print(f"Measuring {package.__name__}.{name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"{package.__name__}.{name}"],
                          check=False).returncode:  # fmt: skip
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))
