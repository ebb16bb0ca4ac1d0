import re

import pytest

from apps.demos.finance_pages.market import look_at_market, market_html
from core.errors import ParameterError


@pytest.fixture(scope="module")
def quick():
    return look_at_market("wti", 0.95, "hs", 250)


def test_hits_are_the_days_on_which_the_loss_was_larger(quick):
    assert quick.hits == sum(
        loss > var for loss, var in zip(quick.forecast.losses, quick.forecast.var, strict=True)
    )
    assert len(quick.forecast.var) == 250


def test_the_page_marks_every_hit_and_names_every_test(desk, quick):
    html = market_html(desk.words, lambda *_: quick, "en", "wti", 0.95, "hs", 250)
    assert html.count("<svg") - html.count("ck-icon") == 2
    for name in ("Kupiec", "Christoffersen", "Acerbi", "Basel"):
        assert name in html
    assert re.search(rf">{quick.hits}<", html)
    failed = [test for test in quick.tests if not test.passed]
    assert html.count(">Rejected (p") + html.count("Rejected (p = 0") >= len(failed)


@pytest.mark.parametrize(
    "choice",
    [("tulips", 0.99, "hs", 250), ("sp500", 0.5, "hs", 250), ("sp500", 0.99, "luck", 250),
     ("sp500", 0.99, "hs", 10**9)],
)  # fmt: skip
def test_only_what_is_offered_is_computed(desk, choice):
    with pytest.raises(ParameterError):
        look_at_market(*choice)
    assert 'role="alert"' in market_html(desk.words, look_at_market, "en", *choice)
