"""Personal data is found by pattern and by name, taken out, and never repeated anywhere."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.data.privacy import find_personal, redact, remove_personal
from core.data.sources import read_table

N = 60
PERSONAL = {
    "contact": ([f"kunde{i}@beispiel.de" for i in range(N)], "email"),
    "mobile": ([f"+49 30 9018{i:02d}0" for i in range(N)], "phone"),
    "konto": (["DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32"] * 30, "IBAN"),
    "pan": ([4111111111111111, 5500005555555559] * 30, "credit card"),
    "tax": ([f"536-90-43{i:02d}" for i in range(N)], "social security number"),
    "login_from": ([f"192.168.0.{i}" for i in range(N)], "IP address"),
    "number": (["11010519491231002X"] * N, "identity card"),
    "cn": ([13800000000 + i for i in range(N)], "phone"),
    "customer_name": ([f"Meier {i}" for i in range(N)], "name"),
    "Nachname": ([f"Meier{i}" for i in range(N)], "name"),
    "客户姓名": ([f"张{i}" for i in range(N)], "name"),
    "homeAddress": ([f"Gasse {i}" for i in range(N)], "address"),
    "date_of_birth": ([f"{1930 + i}-01-02" for i in range(N)], "birth date"),
    "geburtsdatum": ([f"02.01.{1930 + i}" for i in range(N)], "birth date"),
}
HARMLESS = {
    "company_name": [f"Firma {i}" for i in range(N)],
    "addr_state": ["CA", "TX"] * 30,
    "telephone": ["none", "yes, registered under the customers name"] * 30,
    "opened": [f"20{i % 20:02d}-01-02" for i in range(N)],
    "amount": [f"€ 1.2{i:02d}.000,50" for i in range(N)],
    "income": [10_000 + i * 1003 for i in range(N)],
    "rate": [0.123456789 * i for i in range(N)],
    "contract": [f"A{i:08d}" for i in range(N)],
    "range": ["100 <= ... < 500 DM", "... >= 7 years"] * 30,
    "when": [f"2020-01-01 10:{i:02d}:00" for i in range(N)],
    "number_of_accounts": list(range(N)),
}


def test_every_kind_is_found_and_nothing_else() -> None:
    frame = pd.DataFrame({name: values for name, (values, _) in PERSONAL.items()} | HARMLESS)
    found = {p.column: p for p in find_personal(frame)}
    assert set(found) == set(PERSONAL)
    for name, (_, kind) in PERSONAL.items():
        assert kind in found[name].kinds
    clean = remove_personal(frame, tuple(found.values()))
    assert set(clean) == set(HARMLESS)
    assert "Meier" not in repr(found)


def test_personal_data_in_free_text_is_masked() -> None:
    notes = [f"Please call +49 30 901820 or write to a{i}@example.org today" for i in range(N)]
    frame = pd.DataFrame({"note": [*notes, "nothing here at all, thanks for asking"]})
    found = find_personal(frame)
    assert [(p.column, p.action) for p in found] == [("note", "mask")]
    masked = remove_personal(frame, found)["note"]
    assert masked.iloc[0] == "Please call <phone> or write to <email> today"
    assert masked.iloc[-1] == frame["note"].iloc[-1]


def test_redact_leaves_other_text_alone() -> None:
    assert (
        redact("card 4111 1111 1111 1111 from 10.0.0.1") == "card <credit card> from <IP address>"
    )
    plain = "row 17, column 'x': 1234.5 is not a date 2020-01-31"
    assert redact(plain) == plain


def test_check_digits_are_checked() -> None:
    assert redact("11010519491231002X") == "<identity card>"
    assert "identity" not in redact("110105194912310021")
    assert "IBAN" not in redact("DE88 3704 0044 0532 0130 00")


def test_the_developers_books_hold_none_and_cost_nothing(shared_finance: Path) -> None:
    code = (
        "import sys; from core.data.privacy import find_personal;"
        "from core.data.sources import read_table;"
        f"f = read_table(r'{shared_finance / 'german_credit.csv.gz'}');"
        "assert find_personal(f) == (); assert 'presidio_analyzer' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in ("taiwan_default", "lending_club_2016q1"):
        assert find_personal(read_table(shared_finance / f"{name}.csv.gz")) == ()


def test_no_look_up_over_the_network_and_nothing_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with caplog.at_level(logging.DEBUG):
        assert redact("write to someone@new-domain.co.uk") == "write to <email>"
    assert "someone" not in caplog.text
