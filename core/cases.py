"""Which cases are installed, by the entry points `casekit.cases`: the kit's own and anyone else's.

Knows no case by name: a case is a module that offers the functions of `CaseModule`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from core.errors import CasekitError, ParameterError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from core.deployment.predictor import Predictor

GROUP = "casekit.cases"

REQUIRED = (
    "load",
    "check",
    "split",
    "fit",
    "evaluate",
    "pack",
    "open_predictor",
    "PARAMETERS",
    "NOTEBOOKS",
)


class CaseModule(Protocol):
    """What a case's module offers: steps named alike in all cases, and how to open its bundle."""

    PARAMETERS: Mapping[str, type[BaseModel]]  # by notebook name
    NOTEBOOKS: Mapping[str, Path]  # by notebook name

    load: Callable[..., Any]
    check: Callable[..., Any]
    split: Callable[..., Any]
    fit: Callable[..., Any]
    evaluate: Callable[..., Any]
    pack: Callable[..., Any]
    open_predictor: Callable[..., Predictor]  # (folder: Path, manifest: Manifest) -> Predictor


def case_names() -> tuple[str, ...]:
    """Names of the installed cases, sorted; imports none of them."""
    return tuple(sorted({entry.name for entry in importlib.metadata.entry_points(group=GROUP)}))


def get_case(name: str) -> CaseModule:
    """The module of a case.

    Args:
        name: As registered in the entry-point group `casekit.cases`.

    Returns:
        The imported module, checked to offer everything in `CaseModule`.

    Raises:
        ParameterError: No case, or more than one, is installed under this name.
        CasekitError: The case cannot be imported, or lacks part of the contract.
    """
    places = {e.value for e in importlib.metadata.entry_points(group=GROUP) if e.name == name}
    if not places:
        raise _unknown(name)
    if len(places) > 1:
        raise ParameterError(
            f"{len(places)} packages offer a case named {name!r}",
            where=", ".join(sorted(places)),
            remedy="Uninstall all but one",
        )
    module = _load(name, places.pop())
    # A module may import its steps lazily: what it lists is not imported just to be checked.
    listed = set(dir(module)) | set(getattr(module, "__all__", ()))
    missing = [part for part in REQUIRED if part not in listed and not hasattr(module, part)]
    if missing:
        raise CasekitError(
            f"case {name!r} lacks {', '.join(missing)}",
            where=str(getattr(module, "__file__", name)),
            remedy="Offer them as the other cases do; `casekit new-case` writes a skeleton",
        )
    return cast("CaseModule", module)


def _load(name: str, place: str) -> object:
    """The module behind an entry point's value."""
    try:
        return importlib.import_module(place)
    except ImportError as error:
        raise CasekitError(
            f"case {name!r} cannot be imported: {error}",
            where=place,
            remedy=f"Install what it needs, e.g. pip install 'casekit[{name}]'",
        ) from error


def _unknown(name: str) -> ParameterError:
    """The error for a name that no package registers."""
    known = case_names()
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    listing = f"Installed: {', '.join(known)}" if known else "No case is installed"
    return ParameterError(f"there is no case named {name!r}", where="case", remedy=guess + listing)
