"""The case registry, against packages installed for the test."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from core.cases import REQUIRED, case_names, get_case
from core.errors import CasekitError, ParameterError


def install(folder: Path, name: str, place: str) -> None:
    """Lay down what pip leaves of a package that registers one case."""
    info = folder / f"{place}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {place}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[casekit.cases]\n{name} = {place}\n")


def test_a_clients_own_case_is_a_package(tiny_case: ModuleType) -> None:
    assert {"finance", "tiny"} <= set(case_names())
    assert get_case("tiny") is tiny_case


def test_unknown_name_offers_the_nearest(tiny_case: ModuleType) -> None:
    with pytest.raises(ParameterError, match=r"Did you mean 'finance'.*Installed: .*tiny"):
        get_case("Finanse")


def test_a_case_that_cannot_be_imported_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "broken", "no_such_module_here")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CasekitError, match=r"cannot be imported.*casekit\[broken\]"):
        get_case("broken")


def test_a_case_without_its_steps_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "half", "half_a_case")
    (tmp_path / "half_a_case.py").write_text("def load(): ...\ndef pack(): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CasekitError, match="lacks check, split, fit, evaluate, open_predictor"):
        get_case("half")


def test_lazily_listed_steps_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "lazy", "lazy_case")
    parts = list(REQUIRED)
    (tmp_path / "lazy_case.py").write_text(
        f"__all__ = {parts}\ndef __getattr__(name):\n    raise AssertionError('imported')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get_case("lazy") is not None


def test_two_packages_with_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "twin", "twin_one")
    install(tmp_path, "twin", "twin_two")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ParameterError, match=r"2 packages .* \(twin_one, twin_two\)"):
        get_case("twin")
