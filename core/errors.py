"""The errors that people read: what was wrong, where, and what to do about it."""

from __future__ import annotations


class CasekitError(Exception):
    """A problem a user can act on; the command line prints it as one line, without a traceback.

    Attributes:
        what: What was wrong, in one clause.
        where: File, row, column or field, as precisely as it is known; may be empty.
        remedy: What to do about it, in the imperative; may be empty.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        place = f" ({where})" if where else ""
        advice = f". {remedy}" if remedy else ""
        super().__init__(f"{what}{place}{advice}")


class DataError(CasekitError):
    """The data cannot be used as it is: an unreadable file, a missing column, one class only."""


class ParameterError(CasekitError):
    """A parameter is unknown, of the wrong type or out of range."""


class BundleError(CasekitError):
    """A bundle is incomplete, tampered with, unsigned or signed by a stranger."""


class ModelError(CasekitError):
    """A model or its weights cannot be found, trained or applied."""
