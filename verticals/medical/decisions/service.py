"""A CDS Hooks 2.0 service: an order or an opened chart in, cards out.

It informs: it proposes no order, changes nothing and calls nobody. The client must send what the
discovery document lists as prefetch. Callers need the service's API key; the bearer tokens of
CDS Hooks are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.deployment.signing import casekit_home
from core.errors import DataError
from core.serving.case_routes import RouteTools
from core.serving.problems import FieldProblem, ProblemError, invalid
from verticals.medical.decisions.hooks import (
    PREFETCH,
    HookCall,
    HookRequest,
    MissingPrefetchError,
    read_call,
)
from verticals.medical.feedback import append_line
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.privacy import replace_personal
from verticals.medical.patient.record import PatientSummary

if TYPE_CHECKING:
    from verticals.medical.answering import Engine
    from verticals.medical.decisions.cards import Card

Model = TypeVar("Model", bound=BaseModel)

SERVICES = {  # by id: hook, title, what the cards are about
    "casekit-patient-view": (
        "patient-view", "What to beware of in this patient", "the medicines taken",
    ),
    "casekit-order-select": (
        "order-select", "What to beware of in this order", "the selected medicines",
    ),
}  # fmt: skip
_ABOUT = (
    "Interactions, contra-indicating allergies, conditions and kidney function of {}, and a "
    "guideline passage. For clinicians; it informs and decides nothing."
)
_ORDER = {"critical": 0, "warning": 1, "info": 2}
_SHORT_CLASS = 3  # letters of a class's name that other words contain
_COMMON = {"disease", "disorder", "chronic", "essential", "finding", "situation"}
_LONGEST_COMMENT = 2_000  # characters


class AcceptedSuggestion(BaseModel):
    """A suggestion that was followed."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(max_length=100)


class Coding(BaseModel):
    """A reason from the card's own list."""

    model_config = ConfigDict(extra="ignore")

    code: str = Field("", max_length=100)
    system: str = Field("", max_length=300)
    display: str = Field("", max_length=300)


class OverrideReason(BaseModel):
    """Why a card was not followed."""

    model_config = ConfigDict(extra="ignore")

    reason: Coding | None = None
    userComment: str = Field("", max_length=_LONGEST_COMMENT)  # noqa: N815 - named by CDS Hooks


class Outcome(BaseModel):
    """What became of one card."""

    model_config = ConfigDict(extra="ignore")

    card: UUID
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: datetime  # noqa: N815
    acceptedSuggestions: list[AcceptedSuggestion] = Field([], max_length=50)  # noqa: N815
    overrideReason: OverrideReason | None = None  # noqa: N815


class Outcomes(BaseModel):
    """The body of a feedback call."""

    model_config = ConfigDict(extra="ignore")

    feedback: list[Outcome] = Field(min_length=1, max_length=200)


def discovery() -> dict[str, Any]:
    """The services, as GET /cds-services answers."""
    services = [
        {
            "hook": hook,
            "id": name,
            "title": title,
            "description": _ABOUT.format(about),
            "prefetch": PREFETCH,
        }
        for name, (hook, title, about) in SERVICES.items()
    ]
    return {"services": services}


def cards(call: HookCall, engine: Engine | None = None) -> list[Card]:
    """Cards of a call, the gravest first.

    Args:
        call: The patient and what is being ordered.
        engine: Adds a guideline passage on the first order or condition, if it has one.
    """
    from verticals.medical.decisions.cards import cards_for

    found = list(cards_for(call.summary, call.orders))
    if call.unknown:
        found.append(_unknown(call.unknown))
    if engine is not None:
        found += _guideline(call, engine)
    return sorted(found, key=lambda card: _ORDER[card.indicator])


def outcome_file() -> Path:
    """Where outcomes of cards are kept: medical/cds_feedback.jsonl in casekit's own folder."""
    return casekit_home() / "medical" / "cds_feedback.jsonl"


def keep_outcomes(service: str, outcomes: Sequence[Outcome], path: Path | None = None) -> None:
    """Keep what became of cards; comments without personal data.

    Raises:
        DataError: The file cannot be written.
    """
    for outcome in outcomes:
        said = outcome.model_dump(mode="json", exclude_none=True)
        if outcome.overrideReason is not None:
            comment = replace_personal(outcome.overrideReason.userComment)
            said["overrideReason"]["userComment"] = comment
        line = orjson.dumps({"service": service, **said}).decode() + "\n"
        append_line(path or outcome_file(), line)


def service_routes(app: FastAPI, tools: RouteTools) -> None:
    """Add /cds-services, its services and their feedback to the service of a bundle.

    Args:
        app: The application of the bundle's service.
        tools: Its limits, keys and threads; its predictor's engine finds guideline passages.
    """
    engine: Engine | None = getattr(tools.predictor, "engine", None)
    cards(HookCall(PatientSummary(), ("warfarin",), ()))  # the tables are read before any caller

    async def discover() -> Response:
        return _json(discovery())

    async def call(name: str, request: Request) -> Response:
        body = _body(HookRequest, await _known(name, request, tools))
        if body.hook != SERVICES[name][0]:
            raise _problem(400, f"this service is for the hook {SERVICES[name][0]}", "hook", "")
        try:
            found = await tools.run(lambda: cards(read_call(body), engine))
        except MissingPrefetchError as error:
            raise _problem(412, error.what, error.where, error.remedy) from None
        except DataError as error:
            raise _problem(422, error.what, error.where, error.remedy) from None
        return _json({"cards": [c.model_dump(mode="json", exclude_none=True) for c in found]})

    async def outcome(name: str, request: Request) -> Response:
        given = _body(Outcomes, await _known(name, request, tools))
        await tools.run(lambda: keep_outcomes(name, given.feedback))
        return _json({})

    # The protocol documents these routes; the bundle's own OpenAPI document is about its predictor.
    hidden: dict[str, Any] = {"include_in_schema": False}
    app.add_api_route("/cds-services", discover, methods=["GET"], **hidden)
    guarded = {"methods": ["POST"], "dependencies": tools.guard, **hidden}
    app.add_api_route("/cds-services/{name}", call, **guarded)
    app.add_api_route("/cds-services/{name}/feedback", outcome, **guarded)


async def _known(name: str, request: Request, tools: RouteTools) -> bytes:
    """The body of a call to a service that there is."""
    if name not in SERVICES:
        raise _problem(404, "there is no such service", "path", "See GET /cds-services")
    return await tools.read(request)


def _body(model: type[Model], body: bytes) -> Model:
    try:
        return model.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        remedy = f"See line {error.lineno}, column {error.colno}"
        raise ProblemError(400, f"The body is not JSON: {error.msg}", remedy) from None
    except ValidationError as error:
        raise invalid(error, tuple(model.model_fields)) from None


def _problem(status: int, what: str, where: str, remedy: str) -> Exception:
    """An answer that names the field and the remedy, never a value."""
    return ProblemError(status, what, remedy, errors=[FieldProblem(field=where, problem=what)])


def _unknown(keys: Sequence[str]) -> Card:
    """Says what could not be checked, so that silence is not taken for safety."""
    from verticals.medical.decisions.cards import make_card

    listed = ", ".join(keys)
    detail = (
        f"The record that came with this call holds no {listed}. Other cards rest on what was "
        "sent; a card that is missing does not mean that there is nothing to beware of."
    )
    return make_card(
        f"Not checked: {listed} of the patient were not sent", detail, "info", "casekit medical"
    )


def _guideline(call: HookCall, engine: Engine) -> list[Card]:
    """A guideline's sentence on what is ordered, for a condition that the patient has.

    It must name the medicine or a class of it, and a condition; without an order, the first one.
    """
    from verticals.medical.answer import Filters, Question
    from verticals.medical.answering import answer
    from verticals.medical.decisions.cards import Link, make_card

    asked, *meant = _about(call)
    if not asked:
        return []
    only = Filters.model_validate({"grades": ("guideline",)})
    try:
        found = answer(
            Question.model_construct(question=asked, patient=None, filters=only, limit=5), engine
        )
    except DataError:  # a name in another language or of odd characters: nothing to cite
        return []
    told = [(e, f"{e.title} {e.section} {e.quote}".lower()) for e in found.evidence]
    naming = [e for e, text in told if all(any(w in text for w in words) for words in meant)]
    if not naming:
        return []
    best = naming[0]
    links = [Link(label=best.title[:80], url=best.link)] if best.link else []
    title = f"{best.organisation or 'Guideline'}: {best.title}"
    quote = "\n".join(f"> {line}" for line in best.quote.splitlines())
    source = f"{best.organisation or 'Guideline'}{f', doi:{best.doi}' if best.doi else ''}"
    return [make_card(title, f"{quote}\n\n{best.note}".strip(), "info", source, links)]


def _about(call: HookCall) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """What to ask the guidelines, and two sets of words: an answer must have one of each."""
    conditions = [c.name.lower() for c in call.summary.conditions]
    telling = {w for c in conditions for w in re.findall(r"[a-z]{6,}", c)} - _COMMON
    if not call.orders:
        asked = f"How is {conditions[0]} managed?" if conditions else ""
        return asked, tuple(conditions[:1]), ("",)
    names = DrugNames.open()
    generics = names.ingredients(call.orders[0])
    if not generics:
        return "", (), ()
    classes = sorted(c for c in names.classes(generics[0]) if len(c) > _SHORT_CLASS)
    asked = f"When is {generics[0]} recommended or to be avoided?"
    return asked, (generics[0], *classes), tuple(sorted(telling))


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
