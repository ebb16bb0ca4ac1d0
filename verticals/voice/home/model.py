"""What a home is: its floors, areas and devices, and the words its people use for them.

Reading a file is the business of `reading`; what devices do, of `simulated` and the connectors.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

Plain = str | float | int | bool | None
_RISKY_DOMAINS = frozenset({"lock", "alarm_control_panel"})
_RISKY_CLASSES = frozenset({"garage", "gate", "door"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Floor(_Frozen):
    """A storey."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()


class Area(_Frozen):
    """A room, or a place outside."""

    id: str
    name: str
    floor: str | None = Field(default=None, description="Id of its floor")
    aliases: tuple[str, ...] = ()
    plan: tuple[float, float, float, float] | None = Field(
        default=None, description="Left, top, width, depth on the floor plan in metres"
    )


class Entity(_Frozen):
    """A device, a sensor, a list, a scene: anything with a state."""

    id: str = Field(pattern=r"^[a-z_]+\.[\w .-]+$", description="Such as light.kitchen_ceiling")
    name: str = Field(min_length=1)
    area: str | None = Field(default=None, description="Id of its area")
    aliases: tuple[str, ...] = ()
    device_class: str = Field(default="", description="Such as curtain, garage, temperature")
    features: tuple[str, ...] = Field(
        default=(), description="What it can do beyond its domain's least: brightness, colour …"
    )
    state: str = Field(default="", description="Its state when the home is opened")
    attributes: dict[str, Plain] = {}
    ask_first: bool | None = Field(
        default=None, description="Ask before acting; None: locks, alarms, garage and outer doors"
    )

    @property
    def domain(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]

    @property
    def risky(self) -> bool:
        """Whether acting on it needs a yes first."""
        if self.ask_first is not None:
            return self.ask_first
        opens = self.domain == "cover" and self.device_class in _RISKY_CLASSES
        return self.domain in _RISKY_DOMAINS or opens

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, then its aliases."""
        return (self.name, *self.aliases)


class Scene(_Frozen):
    """What a scene sets, beside the entity that stands for it."""

    id: str = Field(description="Id of its entity, such as scene.movie_night")
    sets: dict[str, dict[str, Plain]] = Field(
        default={}, description="By device: its state and attributes"
    )


class Vocabulary(_Frozen):
    """The words of one home that a recogniser should expect, as people say them."""

    devices: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    floors: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    people: tuple[str, ...] = Field(default=(), description="Those of the home and its contacts")
    media: tuple[str, ...] = ()
    sentences: tuple[str, ...] = Field(default=(), description="Typical requests in this home")

    @property
    def names(self) -> tuple[str, ...]:
        """Every name once, devices first."""
        parts = (self.devices, self.areas, self.floors, self.scenes, self.people, self.media)
        return tuple(dict.fromkeys(name for part in parts for name in part))


class Home(_Frozen):
    """One home."""

    name: str = "home"
    floors: tuple[Floor, ...] = ()
    areas: tuple[Area, ...] = ()
    entities: tuple[Entity, ...] = ()
    scenes: tuple[Scene, ...] = ()
    people: tuple[str, ...] = Field(default=(), description="Who lives there")
    contacts: tuple[str, ...] = Field(default=(), description="Whom they call and write to")
    media: tuple[str, ...] = Field(default=(), description="Titles and artists they play")
    sentences: tuple[str, ...] = Field(default=(), description="Typical requests, one of a kind")
    latitude: float = Field(default=48.2, ge=-90, le=90, description="For the weather's seasons")

    @classmethod
    def open(cls, path: str | Path | None = None) -> Home:
        """Read a home from YAML: ours, or fixtures in Home Assistant's form.

        Args:
            path: The file; None for the embedded home.

        Raises:
            DataError: It cannot be read, lacks something or contradicts itself; names the field.
        """
        from verticals.voice.home.reading import read_home

        return read_home(path)

    @cached_property
    def by_id(self) -> dict[str, Entity]:
        """Every entity under its id."""
        return {entity.id: entity for entity in self.entities}

    @cached_property
    def area_by_id(self) -> dict[str, Area]:
        """Every area under its id."""
        return {area.id: area for area in self.areas}

    def within(
        self, *, area: str | None = None, floor: str | None = None, domain: str | None = None,
        device_class: str | None = None,
    ) -> tuple[Entity, ...]:  # fmt: skip
        """The entities of a place and kind.

        Args:
            area: Id of an area.
            floor: Id of a floor.
            domain: Such as light.
            device_class: Such as curtain.
        """
        rooms = {a.id for a in self.areas if a.floor == floor}
        return tuple(
            e for e in self.entities
            if (area is None or e.area == area)
            and (floor is None or e.area in rooms)
            and (domain is None or e.domain == domain)
            and (device_class is None or e.device_class == device_class)
        )  # fmt: skip

    def vocabulary(self) -> Vocabulary:
        """The words of this home, for recognition, snapping and the pronunciations of names."""
        devices = [e for e in self.entities if e.domain not in ("scene", "script")]
        scenes = [e for e in self.entities if e.domain in ("scene", "script")]
        return Vocabulary(
            devices=tuple(dict.fromkeys(n for e in devices for n in e.names)),
            areas=tuple(n for a in self.areas for n in (a.name, *a.aliases)),
            floors=tuple(n for f in self.floors for n in (f.name, *f.aliases)),
            scenes=tuple(dict.fromkeys(n for e in scenes for n in e.names)),
            people=tuple(dict.fromkeys((*self.people, *self.contacts))),
            media=self.media,
            sentences=self.sentences,
        )
