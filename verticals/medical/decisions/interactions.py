"""Which pairs of medicines interact, and how loudly to say so.

Three sources, the first that knows a pair counts: the client's own table, the rules of
alerting.yaml, and the seed of drug-interaction-mcp. Nobody has reviewed the seed, so it never
interrupts: its gravest entries warn. A client's "must not interrupt" pairs are info, always.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, Literal

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import DataError
from verticals.medical.patient.drugs import DrugNames

Level = Literal["critical", "warning", "info"]
LEVELS: tuple[Level, ...] = ("critical", "warning", "info")
_RULES = Path(__file__).with_name("alerting.yaml")
_SEED_LEVELS: dict[str, Level] = {"DANGER": "warning", "WARNING": "info", "CAUTION": "info"}
_SEED_SOURCE = "drug-interaction-mcp, unreviewed seed"
_CLASS = "class: "


class PairRule(BaseModel):
    """A pair of medicines, classes or groups in a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    a: tuple[str, ...] = Field(min_length=1)
    b: tuple[str, ...] = Field(min_length=1)
    level: Level = "info"
    effect: str = ""
    mechanism: str = ""
    advice: str = ""
    source: str = ""


class Alerting(BaseModel):
    """alerting.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: dict[str, tuple[str, ...]]
    rules: tuple[PairRule, ...]
    quiet: tuple[PairRule, ...]


@dataclass(frozen=True)
class Interaction:
    """What is known of two medicines."""

    a: str  # generic names, alphabetical
    b: str
    level: Level
    effect: str
    mechanism: str
    advice: str
    source: str


Pair = frozenset[str]


@dataclass(frozen=True)
class InteractionTable:
    """Interactions by pair of generic names; open it with `InteractionTable.open`."""

    pairs: Mapping[Pair, Interaction]
    names: DrugNames

    @classmethod
    def open(
        cls,
        path: Path | None = None,
        *,
        never: Path | None = None,
        names: DrugNames | None = None,
    ) -> InteractionTable:
        """The kit's tables, or the client's in place of the seed.

        Args:
            path: CSV, TSV or JSON lines with a, b, level and effect, and where known mechanism,
                advice and source; every name a medicine.
            never: The same with a and b alone: pairs that must not interrupt.
            names: Lexicon; opened if not given.

        Raises:
            DataError: A row lacks a column or names no medicine; says which and what to do.
        """
        lexicon = names or DrugNames.open()
        pairs = dict(_own(seed=path is None) if names is None else _shipped(names, path is None))
        if path is not None:
            pairs |= {_key(i): i for i in _read(path, lexicon)}
        if never is not None:
            for row in _read(never, lexicon):
                known = pairs.get(_key(row), replace(row, source=row.source or never.name))
                pairs[_key(row)] = replace(known, level="info")
        return cls(pairs, lexicon)

    def between(self, a: str, b: str) -> Interaction | None:
        """What is known of two medicines, by generic, brand or product name; the gravest."""
        left, right = self._generics(a), self._generics(b)
        found = [self.pairs.get(frozenset(pair)) for pair in product(left, right)]
        return min(filter(None, found), key=lambda i: LEVELS.index(i.level), default=None)

    def check(self, medicines: Sequence[str], new: Sequence[str] = ()) -> list[Interaction]:
        """Interactions of medicines that are taken, or of new ones with each other and with them.

        Args:
            medicines: Names of what is taken.
            new: Names of what is ordered; empty to check what is taken.

        Returns:
            Each pair of generic names once, the gravest first.
        """
        taken = [self._generics(name) for name in medicines]
        ordered = [self._generics(name) for name in new]
        sides = list(combinations(ordered, 2)) + list(product(ordered, taken))
        found: dict[Pair, Interaction] = {}
        for left, right in sides if new else combinations(taken, 2):
            for pair in product(left, right):
                known = self.pairs.get(frozenset(pair))
                if known is not None:
                    found[frozenset(pair)] = known
        return sorted(found.values(), key=lambda i: (LEVELS.index(i.level), i.a, i.b))

    def _generics(self, name: str) -> tuple[str, ...]:
        return self.names.ingredients(name) or self.names.find(name)


def _key(interaction: Interaction) -> Pair:
    return frozenset((interaction.a, interaction.b))


@cache
def read_alerting() -> Alerting:
    """The rules beside this file, checked.

    Raises:
        DataError: An entry does not fit the schema; names it.
    """
    try:
        return Alerting.model_validate(yaml.safe_load(_RULES.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{_RULES.name}: {'.'.join(map(str, first['loc']))}"
        raise DataError(first["msg"], where=where, remedy="Correct the entry") from None


@cache
def _own(*, seed: bool) -> Mapping[Pair, Interaction]:
    """The shipped pairs by the kit's own lexicon: read once, never changed."""
    return _shipped(DrugNames.open(), seed)


def _shipped(names: DrugNames, seed: bool) -> Mapping[Pair, Interaction]:
    """Seed, then quiet pairs, then rules: later ones count."""
    alerting = read_alerting()
    pairs: dict[Pair, Interaction] = {}
    for found in _seed(names) if seed else ():
        known = pairs.get(_key(found))
        if known is None or LEVELS.index(found.level) < LEVELS.index(known.level):
            pairs[_key(found)] = found
    for rule in alerting.quiet:
        for a, b in _expanded(rule, alerting, names):
            if frozenset((a, b)) in pairs:
                pairs[frozenset((a, b))] = replace(pairs[frozenset((a, b))], level="info")
    for rule in sorted(alerting.rules, key=lambda r: -LEVELS.index(r.level)):  # gravest last
        for a, b in _expanded(rule, alerting, names):
            pairs[frozenset((a, b))] = Interaction(
                a, b, rule.level, rule.effect, rule.mechanism, rule.advice, rule.source
            )
    return pairs


def _expanded(rule: PairRule, alerting: Alerting, names: DrugNames) -> Iterator[tuple[str, str]]:
    """Every pair of different generics that a rule speaks of, alphabetical."""
    left, right = (_members(side, alerting, names) for side in (rule.a, rule.b))
    for a, b in {tuple(sorted(pair)) for pair in product(left, right)}:
        if a != b:
            yield a, b


def _members(side: Iterable[str], alerting: Alerting, names: DrugNames) -> set[str]:
    found: set[str] = set()
    for name in side:
        if name in alerting.groups:
            found |= _members(alerting.groups[name], alerting, names)
        elif name.startswith(_CLASS):
            found |= names.members(name.removeprefix(_CLASS))
        else:
            found |= set(names.find(name)) or {name}
    return found


def _seed(names: DrugNames) -> Iterator[Interaction]:
    """The pairs of the pinned package, read as text and never run."""
    from core.models.resolver import resolve

    tree = ast.parse(resolve("drug_interactions").read_text(encoding="utf-8"))
    calls = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Interaction"
    )
    for call in calls:
        given: dict[str, Any] = {
            k.arg: k.value.attr if isinstance(k.value, ast.Attribute) else ast.literal_eval(k.value)
            for k in call.keywords
            if k.arg
        }
        lefts, rights = ({g for n in given[s] for g in names.find(n)} for s in ("drug_a", "drug_b"))
        for a, b in {tuple(sorted(pair)) for pair in product(lefts, rights)}:
            if a != b:
                yield Interaction(
                    a, b, _SEED_LEVELS[given["severity"]], given["description"],
                    given["mechanism"], given["recommendation"],
                    f"{given['source']} ({_SEED_SOURCE})",
                )  # fmt: skip


def _read(path: Path, names: DrugNames) -> Iterator[Interaction]:
    """Rows of a client's table."""
    for number, row in _rows(path):
        where = f"{path.name}, row {number}"
        sides = []
        for column in ("a", "b"):
            found = names.find(str(row.get(column) or ""))
            if len(found) != 1:
                raise DataError(
                    f"{row.get(column)!r} is not one medicine", where=f"{where}, column {column}",
                    remedy="Write its generic name",
                )  # fmt: skip
            sides.append(found[0])
        try:
            rule = PairRule.model_validate(
                {k: v for k, v in row.items() if v} | {"a": [sides[0]], "b": [sides[1]]}
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            column = ".".join(map(str, first["loc"]))
            raise DataError(
                first["msg"], where=f"{where}, column {column}",
                remedy=f"Levels are {', '.join(LEVELS)}; columns are a, b, level, effect, "
                "mechanism, advice, source",
            ) from None  # fmt: skip
        a, b = sorted(sides)
        yield Interaction(
            a, b, rule.level, rule.effect, rule.mechanism, rule.advice, rule.source or path.name
        )


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(number from 1, row) of a CSV, TSV or JSON lines file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the table cannot be read: {error}", where=str(path), remedy="Save it as UTF-8 CSV"
        ) from None
    lines = text.splitlines()
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        for number, line in enumerate(lines, 1):
            try:
                row = orjson.loads(line) if line.strip() else None
            except orjson.JSONDecodeError:
                row = ()
            if row is not None and not isinstance(row, dict):
                where = f"{path.name}, row {number}"
                raise DataError("a row is no JSON object", where=where, remedy="Correct the row")
            if row:
                yield number, row
        return
    mark = "\t" if path.suffix.lower() == ".tsv" else ","
    yield from enumerate(csv.DictReader(lines, delimiter=mark), 1)
