"""`casekit doctor`: what is installed, which data and weights are found, which device computes."""

from __future__ import annotations

from typing import Annotated

import typer

PARTS = {
    "finance": ("lightgbm", "catboost", "tabm", "optbinning", "fairlearn", "arch", "skfolio"),
    "medical": ("transformers", "bm25s", "faiss-cpu", "fhir.resources", "pypdf", "rensa", "peft"),
    "voice": (
        "faster-whisper",
        "hassil",
        "onnxruntime",
        "aiomqtt",
        "wyoming",
        "jiwer",
        "torchaudio",
    ),
    "driving": ("timm", "torchvision", "numba", "opencv-python", "gymnasium", "trackers", "av"),
    "edge": ("openvino", "nncf", "executorch"),
    "cluster": ("ray",),
    "explain": ("shap", "captum", "numba"),
    "app": ("gradio",),
    "serve": ("fastapi", "uvicorn", "prometheus-client", "limits"),
    "notebooks": ("jupyterlab", "ipykernel", "papermill", "nbconvert"),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def doctor(
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a part lacks.")
    ] = False,
) -> None:
    """Show what this machine has, and what to do about what it lacks.

    casekit doctor
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from apps.cli.tables import table

    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("looking around")
        rows = [*_system(), *_parts(), *_cases(), *_devices(), *_assets(), *_tools()]
    console.print(table("", ("", "What", "Found", "Remedy"), rows))
    lacking = [row for row in rows if row[0] == "missing"]
    typer.echo("Everything is here." if not lacking else f"{len(lacking)} things are missing.")
    if strict and lacking:
        raise typer.Exit(1)


def _system() -> list[list[str]]:
    import os
    import platform
    import shutil
    from importlib.metadata import version
    from pathlib import Path

    from core.deployment.signing import casekit_home

    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return [
        ["ok", "casekit", version("casekit"), ""],
        ["ok", "Python", f"{platform.python_version()} on {platform.system()}", ""],
        ["ok", "processors", str(os.cpu_count()), ""],
        ["ok", "free disk", f"{free:.1f} GiB", ""],
        ["ok", "keys and caches", str(casekit_home()), ""],
    ]


def _parts() -> list[list[str]]:
    """Optional parts, by their distributions."""
    from importlib.metadata import PackageNotFoundError, version

    rows = []
    for part, names in PARTS.items():
        found, lacking = [], []
        for name in names:
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                lacking.append(name)
        state = "missing" if lacking else "ok"
        remedy = f"pip install 'casekit[{part}]'" if lacking else ""
        lacks = [f"{name} -" for name in lacking]
        rows.append([state, f"part {part}", ", ".join(found + lacks), remedy])
    return rows


def _cases() -> list[list[str]]:
    from core.cases import case_names

    return [["ok", "cases", ", ".join(case_names()), ""]]


def _devices() -> list[list[str]]:
    try:
        import torch
    except ImportError:
        return [["missing", "torch", "", "pip install casekit"]]
    found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    found += ["Apple GPU (mps)"] if torch.backends.mps.is_available() else []
    return [["ok", f"torch {torch.__version__}", ", ".join(found) or "processor only", ""]]


def _assets() -> list[list[str]]:
    """Every pinned file: found and unchanged, or what to do. Asks no network."""
    from dataclasses import replace

    from core.errors import ModelError
    from core.models.resolver import assets, resolve

    rows = []
    for name, pin in assets().items():
        try:
            resolve(name, pins={name: replace(pin, hub="")})
        except ModelError as error:
            state = "optional" if pin.hub else "missing"
            rows.append([state, f"data {name}", error.what, error.remedy])
        else:
            rows.append(["ok", f"data {name}", f"SHA-256 {pin.sha256[:12]}…, {pin.licence}", ""])
    return rows


def _tools() -> list[list[str]]:
    import shutil

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path:
        return [["ok", "browser for tests", path, ""]]
    return [["optional", "browser for tests", "none", "Install Chromium to run the browser tests"]]
