"""Our own words about medicines (drugs.yaml), checked: synonyms, combinations, classes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import DataError

FILE = Path(__file__).with_name("drugs.yaml")


class DrugClass(BaseModel):
    """A group of medicines that are alike for allergies and contra-indications."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    called: tuple[str, ...] = Field((), description="Other words for the class.")
    parents: tuple[str, ...] = Field((), description="Classes that it belongs to.")
    members: tuple[str, ...] = Field(description="Generic names.")


class Lexicon(BaseModel):
    """The content of drugs.yaml; every name in lower case, as a reader types it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    synonyms: dict[str, tuple[str, ...]]
    combinations: dict[str, tuple[str, ...]]
    salts: frozenset[str]
    releases: frozenset[str]
    bare: frozenset[str]
    not_in_text: frozenset[str]
    classes: dict[str, DrugClass]

    @model_validator(mode="after")
    def _consistent(self) -> Lexicon:
        """Parents exist, nothing is its own ancestor, every name is in lower case and is once."""
        owner: dict[str, str] = {}
        for generic, names in self.synonyms.items():
            for name in (generic, *names):
                if name != name.lower() or owner.setdefault(name, generic) != generic:
                    raise ValueError(f"{name!r} is not in lower case, or means two medicines")
        for name in self.classes:
            self.ancestors(name)
        return self

    def ancestors(self, name: str) -> frozenset[str]:
        """The class and all that it belongs to.

        Raises:
            ValueError: A parent is no class, or a class is its own ancestor.
        """
        found: list[str] = []
        todo = [name]
        while todo:
            current = todo.pop()
            if current not in self.classes:
                raise ValueError(f"{current!r} is not a class")
            found.append(current)
            if name in self.classes[current].parents:
                raise ValueError(f"{name!r} is its own ancestor")
            todo += [p for p in self.classes[current].parents if p not in found]
        return frozenset(found)


def read_lexicon(file: Path = FILE) -> Lexicon:
    """The lexicon in a YAML file.

    Raises:
        DataError: It is not as the schema says; names the field.
    """
    import yaml
    from pydantic import ValidationError

    try:
        return Lexicon.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise DataError(
            f"the words about medicines cannot be read: {error}",
            where=str(file),
            remedy="Compare with verticals/medical/patient/drugs.yaml",
        ) from None


@cache
def shipped_lexicon() -> Lexicon:
    """The lexicon that comes with the kit, read once."""
    return read_lexicon()
