"""Runs the driving benchmarks: `python -m bench.driving [NAME ...]`."""

import sys

import bench.driving
from bench.packages import run_package

sys.exit(run_package(bench.driving, beside=("data",)))
