"""The texts of a demo in every language it speaks, read from YAML beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LANGUAGES = {"en": "English", "zh": "中文"}

# Runs in the browser: the page opens in the language its reader prefers.
PREFERRED_LANGUAGE = "() => (navigator.language || '').startsWith('zh') ? 'zh' : 'en'"


@dataclass(frozen=True)
class Words:
    """Texts by dotted key and language."""

    texts: Mapping[str, Mapping[str, str]]

    @classmethod
    def load(cls, *paths: Path) -> Words:
        """Read files of nested YAML whose leaves are mappings from language to text."""
        import yaml

        found: dict[str, Mapping[str, str]] = {}
        for path in paths:
            found |= dict(_leaves(yaml.safe_load(path.read_text(encoding="utf-8"))))
        return cls(found)

    def __call__(self, key: str, language: str, /, **values: object) -> str:
        """The text of a key with its `{named}` values filled in; English if the language lacks it.

        Raises:
            KeyError: No such text.
        """
        text = self.texts[key]
        return text.get(language, text["en"]).format(**values)

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in self.texts


def _leaves(node: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Mapping[str, str]]]:
    """(dotted key, texts by language) of every leaf under a YAML node."""
    found: list[tuple[str, Mapping[str, str]]] = []
    for name, child in node.items():
        if "en" in child:
            found.append((prefix + name, child))
        else:
            found += _leaves(child, f"{prefix}{name}.")
    return found


Say = str | Callable[[str], Any]  # a text key, or a function of the language


@dataclass
class Labels:
    """Which components show which texts, so that one switch re-labels the whole page.

    Filled while a page is built and only read afterwards, so sessions share nothing that changes.
    """

    words: Words
    first: str = "en"  # the language a page is built in
    said: list[tuple[Any, Mapping[str, Say]]] = field(default_factory=list)

    def make(self, kind: Callable[..., Any], texts: Mapping[str, Say], **settings: Any) -> Any:
        """A component with its texts, remembered for the language switch.

        Args:
            kind: A Gradio component's class.
            texts: Properties that are texts, e.g. {"label": "form.title"}.
            settings: Its other arguments.
        """
        component = kind(**self._values(texts, self.first), **settings)
        self.said.append((component, texts))
        return component

    @property
    def components(self) -> list[Any]:
        """The components that `update` speaks of, in the same order."""
        return [component for component, _ in self.said]

    def update(self, language: str) -> list[Any]:
        """One Gradio update per component, in a language."""
        import gradio as gr

        return [gr.update(**self._values(texts, language)) for _, texts in self.said]

    def _values(self, texts: Mapping[str, Say], language: str) -> dict[str, Any]:
        return {
            name: self.words(say, language) if isinstance(say, str) else say(language)
            for name, say in texts.items()
        }
