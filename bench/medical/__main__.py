"""Runs the medical benchmarks: `python -m bench.medical [NAME ...]`."""

import sys

import bench.medical
from bench.packages import run_package

sys.exit(run_package(bench.medical, beside=("confusion", "direction_data", "scifact", "vectors")))
