"""Reads a home from YAML, ours or Home Assistant's fixtures; errors name the field."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from core.errors import DataError
from verticals.voice.home.model import Home, Plain

EMBEDDED = Path(__file__).with_name("home.yaml")
_KEPT = ("name", "id", "area", "aliases")


def read_home(path: str | Path | None = None) -> Home:
    """Read a home; see `Home.open`.

    Raises:
        DataError: It cannot be read, lacks something or contradicts itself; names the field.
    """
    file = EMBEDDED if path is None else Path(path)
    content = _content(file)
    if _is_fixtures(content):
        content = _from_fixtures(content)
    try:
        home = Home.model_validate(content)
    except ValidationError as error:
        raise _unreadable(error, content, file) from None
    _check(home, file)
    return home


def _content(file: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"the home cannot be read: {error.strerror or error}", where=str(file),
            remedy="Give a YAML file with areas and entities, or none for the embedded home",
        ) from None  # fmt: skip
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise DataError(
            "the home is not YAML", where=f"{file}{line}",
            remedy="Check the indentation, and quote names with colons",
        ) from None  # fmt: skip
    if not isinstance(content, dict) or not content.get("entities"):
        raise DataError(
            "the home has no devices", where=f"{file}, entities",
            remedy="List at least one: {id: light.kitchen, name: Kitchen light, area: kitchen}",
        )  # fmt: skip
    return content


def _is_fixtures(content: Mapping[str, Any]) -> bool:
    """Home Assistant's test fixtures have a language, and timers or media as mappings."""
    return "language" in content


def _from_fixtures(content: Mapping[str, Any]) -> dict[str, Any]:
    media = [m["title"] for m in content.get("media") or () if "title" in m]
    return {
        "name": "fixtures",
        "floors": [_only(f, ("id", "name", "aliases")) for f in content.get("floors") or ()],
        "areas": [_only(a, (*_KEPT[:2], "floor", "aliases")) for a in content.get("areas") or ()],
        "entities": [_fixture(e) for e in content["entities"]],
        "people": [e["name"] for e in content["entities"] if e["id"].startswith("person.")],
        "media": media,
    }


def _fixture(entity: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Plain] = dict(entity.get("attributes") or {})
    state = entity.get("state", "")
    if isinstance(state, Mapping):  # {in: how it is said, out: what it is}
        state = state.get("out", state.get("in", ""))
    name = str(entity["name"])
    optional = name.replace("[", "").replace("]", "")  # a template such as Trader Joe[']s
    aliases = list(entity.get("aliases") or ())
    if optional != name:
        aliases.append(name.partition("[")[0] + name.rpartition("]")[2])
    return _only(entity, _KEPT) | {
        "name": optional, "aliases": aliases, "state": str(state),
        "device_class": str(attributes.pop("device_class", "")), "attributes": attributes,
    }  # fmt: skip


def _only(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _unreadable(error: ValidationError, content: Mapping[str, Any], file: Path) -> DataError:
    first = error.errors()[0]
    place = list(first["loc"])
    label = ""
    if len(place) > 1 and isinstance(place[1], int):
        row = content[str(place[0])][place[1]]
        label = f" ({row.get('id') or row.get('name')})" if isinstance(row, Mapping) else ""
    field = ".".join(map(str, place)) + label
    if first["type"] == "extra_forbidden":
        model = Home.model_fields if len(place) == 1 else _fields(str(place[0]))
        near = difflib.get_close_matches(str(place[-1]), model, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(model)}"
    elif first["type"] == "string_pattern_mismatch":
        remedy = "Write it as domain.name, such as light.kitchen"
    else:
        remedy = f"{first['msg']}; see verticals/voice/home/home.yaml for an example"
    return DataError("the home has a field that cannot be used", where=f"{file}, {field}",
                     remedy=remedy)  # fmt: skip


def _fields(part: str) -> Iterable[str]:
    from verticals.voice.home.model import Area, Entity, Floor, Scene

    models: dict[str, type[BaseModel]] = {
        "floors": Floor,
        "areas": Area,
        "entities": Entity,
        "scenes": Scene,
    }
    return list(models[part].model_fields) if part in models else list(Home.model_fields)


def _check(home: Home, file: Path) -> None:
    """Ids are unique; areas, floors and the devices of scenes exist."""
    for part in ("floors", "areas", "entities"):
        seen: set[str] = set()
        for row in getattr(home, part):
            if row.id in seen:
                raise DataError(f"two {part} have the id {row.id!r}", where=f"{file}, {part}",
                                remedy="Give each its own")  # fmt: skip
            seen.add(row.id)
    areas, floors = {a.id for a in home.areas}, {f.id for f in home.floors}
    for area in home.areas:
        _known(area.floor, floors, f"{file}, areas, {area.id}, floor")
    for entity in home.entities:
        _known(entity.area, areas, f"{file}, entities, {entity.id}, area")
    for scene in home.scenes:
        _known(scene.id, set(home.by_id), f"{file}, scenes, id")
        for device in scene.sets:
            _known(device, set(home.by_id), f"{file}, scenes, {scene.id}, sets")


def _known(name: str | None, names: set[str], where: str) -> None:
    if name is None or name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(names))}"
    raise DataError(f"there is no {name!r}", where=where, remedy=remedy)
