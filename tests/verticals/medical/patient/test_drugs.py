from __future__ import annotations

import bz2
import pickle
import random
import string

import pytest

from core.errors import DataError, ModelError
from verticals.medical.patient.drugs import DrugNames, _opened
from verticals.medical.patient.lexicon import Lexicon, read_lexicon, shipped_lexicon

HUMULIN = (
    "insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Injectable "
    "Suspension [Humulin]"
)


@pytest.fixture(scope="module")
def names() -> DrugNames:
    return DrugNames.open()


@pytest.mark.parametrize(
    ("name", "generics"),
    [
        ("Tylenol", ("acetaminophen",)),
        ("acetylsalicylic acid", ("aspirin",)),
        ("HCTZ", ("hydrochlorothiazide",)),
        ("Humulin", ("insulin human",)),
        ("Synthroid", ("levothyroxine",)),
        ("adrenaline", ("epinephrine",)),
        ("warfarin sodium", ("warfarin",)),
        ("lithium carbonate", ("lithium",)),
        ("potassium chloride", ("potassium chloride",)),
        ("sodium valproate", ("valproic acid",)),
        ("Augmentin", ("amoxicillin", "clavulanic acid")),
        ("Triumeq", ("abacavir", "dolutegravir", "lamivudine")),
        ("Simvistatin", ("simvastatin",)),
        ("warfrin", ("warfarin",)),
        ("Toprol-XL", ("metoprolol",)),
        ("Inderal LA", ("propranolol",)),
        ("nothing of the kind", ()),
        ("", ()),
    ],
)
def test_finds_the_generic_name(names, name, generics) -> None:
    assert names.find(name) == generics


@pytest.mark.parametrize(
    ("product", "generics"),
    [
        ("Naproxen sodium 220 MG Oral Tablet", ("naproxen",)),
        (HUMULIN, ("insulin isophane", "insulin regular")),
        ("24 HR Donepezil hydrochloride 10 MG / Memantine 28 MG", ("donepezil", "memantine")),
        ("NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector", ("epinephrine",)),
        ("Vitamin B 12 5 MG/ML Injectable Solution", ("cyanocobalamin",)),
        ("Carbamazepine[Tegretol]", ("carbamazepine",)),
        ("Something new 5 MG Oral Tablet [Lipitor]", ("atorvastatin",)),
        ("telmisartan/amlodipine", ("telmisartan", "amlodipine")),
        ("Metformin Oral Tablet", ("metformin",)),
        ("5 MG", ()),
    ],
)  # fmt: skip
def test_reads_products(names, product, generics) -> None:
    assert names.ingredients(product) == generics


def test_every_canonical_name_is_itself(names) -> None:
    canonical = names.canonical()
    assert len(canonical) > 15_000
    assert [c for c in canonical if names.find(c) != (c,)] == []


def test_a_slip_is_forgiven_and_never_makes_another_medicine(names) -> None:
    rng = random.Random(7)
    known = sorted(n for n in names.in_use if n.isalpha() and len(n) >= 6)
    right = tried = 0
    for name in rng.sample(known, 300):
        at = rng.randrange(1, len(name))
        letter = rng.choice(string.ascii_lowercase)
        typed = rng.choice(
            [name[:at] + name[at + 1 :], name[:at] + letter + name[at:],
             name[:at] + letter + name[at + 1 :]]
        )  # fmt: skip
        if names._named(typed):  # the slip spells another name
            continue
        found = names.find(typed)
        tried += 1
        right += found == names.find(name)
        assert found in ((), names.find(name)), typed
    assert right / tried > 0.95


# Look-alikes of the ISMP list of confused drug names (2023): each is only ever itself.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hydralazine", "hydroxyzine"), ("prednisone", "prednisolone"), ("tramadol", "trazodone"),
        ("clonidine", "clonazepam"), ("bupropion", "buspirone"), ("metformin", "metronidazole"),
        ("chlorpromazine", "chlorpropamide"), ("lamotrigine", "lamivudine"),
        ("glipizide", "glyburide"), ("dopamine", "dobutamine"), ("cefazolin", "ceftriaxone"),
        ("quinine", "quinidine"), ("vinblastine", "vincristine"), ("amlodipine", "amiloride"),
        ("fluoxetine", "duloxetine"), ("sitagliptin", "saxagliptin"),
    ],
)  # fmt: skip
def test_look_alikes_stay_apart(names, one, other) -> None:
    assert names.find(one) == (one,)
    assert names.find(other) == (other,)
    for at in range(1, len(one)):
        assert other not in names.find(one[:at] + one[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "What is the primary cause of axonal damage and attention deficit?",
        "Is serum potassium or sodium of 130 a reason for concern in northern regions?",
        "Pain relief and control of the process in parents with proven ability",
    ],
)
def test_ordinary_words_are_no_medicines(names, text) -> None:
    assert names.find(text) == ()


def test_finds_medicines_and_classes_in_a_sentence(names) -> None:
    asked = "Can she take ibuprophen, or another NSAID, with Coumadin and St. John’s wort?"
    assert names.find(asked) == ("ibuprofen", "warfarin", "st. john's wort")
    assert names.classes_in(asked) == ("nsaid",)


def test_classes_contain_one_another(names) -> None:
    assert {"penicillin", "beta-lactam", "antibiotic"} == names.classes("Amoxil")
    assert "cephalexin" in names.members("beta-lactam")
    assert names.classes_in("Allergy to penicillins; sulfa drugs") == (
        "penicillin", "sulfonamide antibiotic",
    )  # fmt: skip
    assert names.classes("no such medicine") == frozenset()


def test_every_member_of_a_class_is_found_as_itself(names) -> None:
    for drug_class in names.lexicon.classes.values():
        for member in drug_class.members:
            assert names.find(member) == (member,)


def test_drugbank_identifiers_are_left_out(names) -> None:
    assert not any(str(v).startswith("DB0") for v in names.variants.values())


def test_a_pickle_that_names_a_function_is_refused(tmp_path) -> None:
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    file = tmp_path / "evil.pkl.bz2"
    file.write_bytes(bz2.compress(pickle.dumps(Evil())))
    with pytest.raises(ModelError, match=r"asks for builtins\.print"):
        _opened(file)
    with pytest.raises(ModelError, match="not the pinned file"):
        DrugNames.open(file)


def test_the_lexicon_is_checked(tmp_path) -> None:
    shipped = shipped_lexicon().model_dump(mode="json")
    for change in (
        {"classes": {"a": {"members": ["x"], "parents": ["b"]}}},
        {"classes": {"a": {"members": ["x"], "parents": ["a"]}}},
        {"synonyms": {"Aspirin": ["ASA"]}},
        {"synonyms": {"a": ["c"], "b": ["c"]}},
        {"more": 1},
    ):
        with pytest.raises(ValueError, match="validation error"):
            Lexicon.model_validate(shipped | change)
    file = tmp_path / "drugs.yaml"
    file.write_text("classes: [")
    with pytest.raises(DataError):
        read_lexicon(file)
