"""The page that decides: a scenario played with and without the shield, and the verdict."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.driving_pages.taking import problem_html
from apps.demos.driving_pages.verdicts import (
    Played,
    films_html,
    films_of,
    reasons_html,
    verdict_html,
)
from core.errors import CasekitError, ParameterError

if TYPE_CHECKING:
    from apps.demos.driving_pages.desk import Desk
    from apps.demos.words import Labels, Words
    from verticals.driving.scenarios.running import Trace
    from verticals.driving.scenarios.schema import Case

FIRST, FIRST_CASE = "hidden_pedestrian", 1  # where the shield makes the difference
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_PLAY = """
const play = () => {
  const films = [...element.querySelectorAll('video')];
  for (const film of films) { film.currentTime = 0; film.play().catch(() => {}); }
};
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-act=again]')) play();
});
new MutationObserver(play).observe(element, { childList: true, subtree: true });
"""


def decide_page(desk: Desk, labels: Labels, language: Any) -> None:
    """Build the page inside the current tab.

    Args:
        desk: What is shared.
        labels: Makes components that follow the language.
        language: The component that holds the language.
    """
    import gradio as gr

    words = desk.words
    played = gr.State(None, time_to_live=1800)  # both runs
    names = tuple(dict.fromkeys(case.scenario.name for case in desk.cases))
    with gr.Column(elem_classes="ck-card ck-play"):
        labels.make(gr.HTML, {"value": lambda lang: _lead(words, lang, len(names), desk)})
        with gr.Row(elem_classes="ck-picks"):
            scenario = labels.make(
                gr.Dropdown,
                {"label": "decide.scenario",
                 "choices": lambda lang: [(words(f"scenarios.{n}", lang), n) for n in names]},
                value=FIRST, elem_id="scenario", scale=4, min_width=260,
            )  # fmt: skip
            case = labels.make(
                gr.Dropdown, {"label": "decide.case"}, elem_id="case", filterable=False,
                choices=_cases(desk, FIRST, labels.first), value=FIRST_CASE, scale=3, min_width=270,
            )  # fmt: skip
            driver = labels.make(
                gr.Dropdown,
                {"label": "decide.driver",
                 "choices": lambda lang: [(words(f"drivers.{d}", lang), d) for d in desk.drivers]},
                value=next(iter(desk.drivers)), elem_id="driver", filterable=False, scale=2,
                min_width=190,
            )  # fmt: skip
            play = labels.make(
                gr.Button, {"value": "decide.play"}, variant="primary", elem_id="play", scale=0,
                min_width=120,
            )  # fmt: skip
    films = gr.HTML(elem_id="films", js_on_load=_PLAY)
    with gr.Row(elem_classes="ck-split"):
        with gr.Column(scale=7, min_width=320):
            verdict = gr.HTML(elem_id="verdict")
        with gr.Column(scale=5, min_width=300):
            reasons = gr.HTML(elem_id="reasons")

    def changed(name: str, lang: str) -> Any:
        return gr.update(choices=_cases(desk, name, lang), value=0)

    def played_both(name: str, number: int, who: str, lang: str) -> list[Any]:
        try:
            both = films_of(*play_case(desk, name, int(number or 0), who))
        except CasekitError as error:
            return [None, problem_html(error, words, lang), "", ""]
        return [both, *_told(both, words, lang)]

    def told_anew(both: Played | None, name: str, number: int, lang: str) -> list[Any]:
        said = _told(both, words, lang) if both else ["", "", ""]
        return [gr.update(choices=_cases(desk, name, lang), value=number or 0), *said]

    shown = [films, verdict, reasons]
    scenario.input(changed, [scenario, language], case, **_QUIET)
    play.click(
        played_both, [scenario, case, driver, language], [played, *shown],
        api_visibility="private", show_progress="minimal", concurrency_id="play",
    )  # fmt: skip
    language.change(told_anew, [played, scenario, case, language], [case, *shown], **_QUIET)


def play_case(desk: Desk, name: str, number: int, driver: str) -> tuple[Trace, Trace]:
    """A case without and with the shield.

    Args:
        desk: Cases and drivers.
        name: Of the scenario.
        number: Of its cases.
        driver: A name of `desk.drivers`.

    Raises:
        ParameterError: There is no such scenario, case or driver.
        ModelError: The driver's policy is missing.
    """
    from verticals.driving.scenarios.running import run

    cases = _of(desk, name)
    if driver not in desk.drivers or not 0 <= number < len(cases):
        raise ParameterError(
            f"there is no case {number} of {name!r} or no driver {driver!r}", where="case",
            remedy=f"Drivers: {', '.join(desk.drivers)}; cases of the scenario: {len(cases)}",
        )  # fmt: skip
    policy = desk.drivers[driver](cases[number])
    return run(cases[number], policy, shield=False), run(cases[number], policy, shield=True)


def _of(desk: Desk, name: str) -> list[Case]:
    return [case for case in desk.cases if case.scenario.name == name]


def _cases(desk: Desk, name: str, language: str) -> list[tuple[str, int]]:
    """The cases of a scenario by their numbers, and what differs between them."""
    words, cases = desk.words, _of(desk, name)
    if len(cases) == 1:
        return [(words("decide.only", language), 0)]
    return [
        (words("decide.variant", language, number=k + 1, of=len(cases), values=", ".join(
            f"{words(f'sweeps.{key}', language)} {value}" for key, value in case.values.items()
        )), k)
        for k, case in enumerate(cases)
    ]  # fmt: skip


def _told(played: Played, words: Words, language: str) -> list[str]:
    return [
        films_html(played, words, language),
        verdict_html(played.bare, played.guarded, words, language),
        reasons_html(played.guarded, words, language),
    ]


def _lead(words: Words, language: str, scenarios: int, desk: Desk) -> str:
    title = escape(words("decide.title", language))
    text = words("decide.intro", language, scenarios=scenarios, cases=len(desk.cases))
    return f'<h2 class="ck-title">{title}</h2><p class="ck-quiet">{escape(text)}</p>'
