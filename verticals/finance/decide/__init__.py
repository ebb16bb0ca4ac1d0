"""From probabilities to decisions: cut-offs, losses, stages, stress, prices and limits."""

from verticals.finance.decide.assumptions import Assumptions, read_assumptions
from verticals.finance.decide.book import Book, make_book
from verticals.finance.decide.gather import decide, decision_tables

__all__ = ["Assumptions", "Book", "decide", "decision_tables", "make_book", "read_assumptions"]
