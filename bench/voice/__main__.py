"""Runs the voice benchmarks: `python -m bench.voice [NAME ...]`."""

import sys

import bench.voice
from bench.packages import run_package

beside = ("broker", "nlu_baseline", "nlu_data", "phrases", "tarred")
sys.exit(run_package(bench.voice, beside=beside))
