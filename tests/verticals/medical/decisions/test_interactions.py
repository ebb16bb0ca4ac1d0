"""Pairs alert as loudly as their source allows, by whatever name they are written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from core.errors import DataError
from verticals.medical.decisions.interactions import LEVELS, InteractionTable, read_alerting
from verticals.medical.patient.drugs import DrugNames


@pytest.fixture(scope="module")
def table() -> InteractionTable:
    return InteractionTable.open()


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("phenelzine", "Prozac", "critical"),
        ("Simvastatin 20 MG Oral Tablet", "clarithromycin", "critical"),
        ("Viagra", "nitroglycerin", "critical"),
        ("febuxostat", "azathioprine", "critical"),
        ("lisinopril", "Sacubitril 49 MG / Valsartan 51 MG Oral Tablet [Entresto]", "critical"),
        ("Coumadin", "ibuprofen", "warning"),
        ("morphine", "diazepam", "warning"),
        ("metoprolol", "ibuprofen", None),
    ],
)
def test_known_pairs_alert_by_any_name(
    table: InteractionTable, a: str, b: str, level: str | None
) -> None:
    for left, right in ((a, b), (b, a)):
        found = table.between(left, right)
        if level is None:
            assert found is None or found.level == "info"
        else:
            assert found is not None
            assert found.level == level
            assert found.source
            assert found.advice


def test_the_unreviewed_seed_never_interrupts(table: InteractionTable) -> None:
    seed = [i for i in table.pairs.values() if "unreviewed seed" in i.source]
    assert len(seed) > 50
    assert all(i.level != "critical" for i in seed)


def test_names_nobody_knows_and_one_medicine_alone_do_not_alert(table: InteractionTable) -> None:
    assert table.between("warfarin", "qwertyuiop") is None
    assert table.between("warfarin", "Coumadin") is None
    assert table.check([]) == []
    assert table.check(["warfarin"]) == []


def test_orders_are_checked_with_each_other_and_with_what_is_taken(
    table: InteractionTable,
) -> None:
    taken = ["warfarin", "aspirin"]  # already taken together: not news for an order
    found = table.check(taken, ["ibuprofen"])
    assert found
    assert all("ibuprofen" in (i.a, i.b) for i in found)
    assert table.check([], ["phenelzine", "fluoxetine"])[0].level == "critical"
    assert {(i.a, i.b) for i in table.check(taken)} == {("aspirin", "warfarin")}
    levels = [LEVELS.index(i.level) for i in table.check(["phenelzine", *taken, "fluoxetine"])]
    assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("own.csv", "a,b,level,effect\nCoumadin,metformin,critical,Ours\n"),
        ("own.tsv", "a\tb\tlevel\teffect\nwarfarin\tmetformin\tcritical\tOurs\n"),
        (
            "own.jsonl",
            '{"a": "warfarin", "b": "metformin", "level": "critical", "effect": "Ours"}\n',
        ),
    ],
)
def test_a_clients_table_takes_the_seeds_place(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    table = InteractionTable.open(path)
    found = table.between("warfarin", "metformin")
    assert found is not None
    assert (found.level, found.effect, found.source) == ("critical", "Ours", name)
    assert not any("unreviewed seed" in i.source for i in table.pairs.values())
    consensus = table.between("phenelzine", "fluoxetine")
    assert consensus is not None
    assert consensus.level == "critical"


def test_a_clients_quiet_pairs_never_interrupt(tmp_path: Path) -> None:
    path = tmp_path / "never.csv"
    path.write_text("a,b\nCitalopram,sotalol\nwarfarin,metformin\n")
    table = InteractionTable.open(never=path)
    for pair in (("citalopram", "sotalol"), ("warfarin", "metformin")):
        found = table.between(*pair)
        assert found is not None
        assert found.level == "info"
    assert InteractionTable.open().between("citalopram", "sotalol") is not None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a,b,level\nwarfarin,qwertyuiop,info\n", "row 1, column b"),
        ("a,b,level\nwarfarin,aspirin,info\nwarfarin,,info\n", "row 2, column b"),
        ("a,b,level\nwarfarin,aspirin,loud\n", "column level"),
        ("a,b,strength\nwarfarin,aspirin,loud\n", "strength"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=named):
        InteractionTable.open(path)


def test_a_table_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        InteractionTable.open(tmp_path / "none.csv")
    broken = tmp_path / "own.jsonl"
    broken.write_text('{"a": "warfarin"\n')
    with pytest.raises(DataError, match="row 1"):
        InteractionTable.open(broken)


def pairs(file: Path) -> list[tuple[str, str]]:
    with file.open() as stream:
        return [(r["drug_a"], r["drug_b"]) for r in csv.DictReader(stream, delimiter="\t")]


def test_consensus_pairs_interrupt_and_quiet_ones_do_not(
    table: InteractionTable, shared_medical: Path
) -> None:
    folder = shared_medical / "ddi"
    loud = pairs(folder / "onc_high_priority_pairs.tsv")
    quiet = pairs(folder / "onc_non_interruptive_pairs.tsv")
    both = {frozenset(p) for p in loud} & {frozenset(p) for p in quiet}
    hits = [(found := table.between(*p)) is not None and found.level == "critical" for p in loud]
    assert sum(hits) / len(hits) > 0.97
    interrupting = [
        p
        for p in quiet
        if frozenset(p) not in both
        and (found := table.between(*p)) is not None
        and found.level == "critical"
    ]
    assert len(interrupting) <= 2


def test_every_name_of_the_rules_is_a_medicine_a_class_or_a_group() -> None:
    names = DrugNames.open()
    alerting = read_alerting()
    sides = [*alerting.groups.values()]
    sides += [side for rule in (*alerting.rules, *alerting.quiet) for side in (rule.a, rule.b)]
    for name in {name for side in sides for name in side} - set(alerting.groups):
        if name.startswith("class: "):
            assert names.members(name.removeprefix("class: ")), name
        else:
            assert len(names.find(name)) == 1, name
    assert all(rule.effect and rule.advice and rule.source for rule in alerting.rules)
