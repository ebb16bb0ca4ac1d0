"""The demo with its real recogniser and a recording in place of the browser's microphone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.demos.voice_pages.opening import desk_of
from core.data.audio import write_wav
from core.errors import ModelError
from verticals.voice.assistant import open_parts

pytestmark = [pytest.mark.slow, pytest.mark.browser]

RATE = 48_000
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
              "--autoplay-policy=no-user-gesture-required"]  # fmt: skip
STATE = "#microphone [data-part=root]"


class Humming:
    """Answers for long, so that there is time to talk over it."""

    def say(self, text: str, **_: Any) -> np.ndarray:
        return (0.05 * np.sin(np.arange(30 * 16_000) / 5)).astype(np.float32)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody asks for the kitchen light, and is silent before and after."""
    from scipy.signal import resample_poly

    from verticals.voice.speech.kokoro import Kokoro

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        voice = Kokoro.open(threads=1)  # says it the same each time
    said = resample_poly(voice.say("Turn on the kitchen light."), 3, 1)
    sound = np.concatenate([np.zeros(RATE // 2), said, np.zeros(8 * RATE)])
    path = tmp_path_factory.mktemp("spoken") / "kitchen.wav"
    write_wav(path, sound.astype(np.float32), rate=RATE)
    return path


@pytest.fixture(scope="module")
def page(spoken: Path, flags: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The demo in a browser whose microphone is the recording."""
    from playwright.sync_api import sync_playwright

    from apps.demos.voice import compose, launch

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no system Chromium: apt-get install chromium")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        try:
            parts = open_parts(model=False, voice=False, threads=1)
        except ModelError as error:
            pytest.skip(str(error))
        desk = desk_of(replace(parts, voice=Humming()))  # type: ignore[arg-type]
        demo = compose(desk)
        address = launch(demo, block=False)
        flags = [*flags, *MICROPHONE, f"--use-file-for-fake-audio-capture={spoken}"]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            page = browser.new_context(locale="en-GB", permissions=["microphone"]).new_page()
            page.set_default_timeout(90_000)
            page.goto(address)
            page.locator("#microphone button").wait_for()
            yield page
            browser.close()
        demo.close()
        desk.visits.close_all()


def heard(page: Any, number: int) -> None:
    page.locator(f"[data-testid=turn][data-number='{number}']").wait_for()


def test_the_lamp_goes_on_words_come_while_they_are_spoken_and_talking_over_the_answer_stops_it(
    page: Any,
) -> None:
    page.evaluate("""() => { window.partials = [];
        new MutationObserver(() => window.partials.push(
          document.querySelector('#microphone [data-part=partial]').textContent)
        ).observe(document.querySelector('#microphone'),
          {subtree: true, childList: true, characterData: true}); }""")
    page.locator("#microphone button").click()
    page.locator(f"{STATE}[data-state=listening]").wait_for()
    assert page.locator("#microphone button").get_attribute("aria-pressed") == "true"
    heard(page, 1)  # nobody pressed again: it ended by itself
    assert page.locator("#plan g[data-entity='light.kitchen']").first.get_attribute(
        "data-state") == "on"  # fmt: skip
    assert "kitchen light" in page.get_by_test_id("heard").inner_text().lower()
    assert any(page.evaluate("window.partials"))

    # The answer plays, the microphone is open, and the same voice is heard again.
    page.locator(f"{STATE}[data-state=open]").wait_for()
    page.locator(f"{STATE}[data-state=listening]").wait_for()
    answer = page.evaluate("(() => { const a = document.querySelector('#answer audio');"
                           " return [a.paused, a.currentTime, a.duration]; })()")  # fmt: skip
    assert answer[0]
    assert 0 < answer[1] < answer[2] - 1
    heard(page, 2)
    page.locator("#microphone button").focus()
    page.locator(f"{STATE}[data-state=open]").wait_for()
    page.keyboard.press("Escape")
    page.locator(f"{STATE}[data-state=idle]").wait_for()


def test_the_page_of_reasons_shows_the_sound_and_whether_they_hold(
    page: Any, spoken: Path, tmp_path: Path
) -> None:
    from core.data.audio import read_audio

    upload = tmp_path / "kitchen.wav"
    write_wav(upload, read_audio(spoken, max_seconds=30)[: 4 * 16_000])
    number = int(page.get_by_test_id("turn").get_attribute("data-number"))
    page.locator("input[type=file]:not([multiple])").first.set_input_files(str(upload))
    heard(page, number + 1)
    page.get_by_role("button", name="Why?").click()
    page.get_by_test_id("why").wait_for(timeout=240_000)
    chart = page.get_by_role("img", name="Spectrogram").first
    chart.wait_for()
    assert chart.locator("text=kitchen").count() == 1
    assert page.get_by_test_id("holds").locator("li").count() == 2
    assert "Turn on: Kitchen light" in page.get_by_test_id("why").inner_text()
