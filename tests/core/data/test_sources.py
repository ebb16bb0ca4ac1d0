"""Tables of every kind come back as pandas itself would read them, or fail in one clear line."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import os
import sqlite3
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.data.sources import fingerprint, iter_table, read_table, safe_source
from core.errors import DataError

FRAME = pd.DataFrame(
    {
        "loan": [1, 2, 3, 4],
        "amount": [1200.5, np.nan, 3.25, -4.0],
        "purpose": ["car; new", 'a "quoted" word', "two\nlines", "größer, 客户"],
    }
)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_tables_round_trip(tmp_path: Path, separator: str, encoding: str) -> None:
    path = tmp_path / "book.csv"
    FRAME.to_csv(path, sep=separator, index=False, encoding=encoding)
    pd.testing.assert_frame_equal(read_table(path), FRAME)


@pytest.mark.parametrize("ending", ["csv.gz", "csv.bz2", "tsv", "xlsx", "parquet", "jsonl"])
def test_every_format_gives_the_same_table(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"book.{ending}"
    writers = {
        "xlsx": lambda: FRAME.to_excel(path, index=False),
        "parquet": lambda: FRAME.to_parquet(path),
        "jsonl": lambda: FRAME.to_json(path, orient="records", lines=True, force_ascii=False),
    }
    writers.get(ending, lambda: FRAME.to_csv(path, sep="\t", index=False))()
    pd.testing.assert_frame_equal(read_table(path), FRAME)
    parts = list(iter_table(path, rows=3))
    assert [len(p) for p in parts] == [3, 1]
    assert list(parts[1].index) == [3]


def test_databases_by_table_and_by_query(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "book.db") as connection:
        FRAME.to_sql("loans", connection, index=False)
    url = f"sqlite:///{tmp_path}/book.db"
    pd.testing.assert_frame_equal(read_table(f"{url}::loans"), FRAME)
    assert len(read_table(f"{url}::select loan from loans where amount > 0")) == 2
    with pytest.raises(DataError, match="no such table"):
        read_table(f"{url}::lones")
    with pytest.raises(DataError, match="no such database file"):
        read_table(f"sqlite:///{tmp_path}/other.db::loans")
    assert not (tmp_path / "other.db").exists()


def test_urls_through_fsspec_and_a_sheet_of_a_workbook(tmp_path: Path) -> None:
    import fsspec

    with fsspec.open("memory://books/book.csv.gz", "wb") as stream:
        stream.write(gzip.compress(FRAME.to_csv(index=False).encode()))
    pd.testing.assert_frame_equal(read_table("memory://books/book.csv.gz"), FRAME)
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        FRAME.head(1).to_excel(book, sheet_name="one", index=False)
        FRAME.to_excel(book, sheet_name="two", index=False)
    assert len(read_table(tmp_path / "book.xlsx")) == 1
    pd.testing.assert_frame_equal(read_table(f"{tmp_path}/book.xlsx::two"), FRAME)
    with pytest.raises(DataError, match="three"):
        read_table(f"{tmp_path}/book.xlsx::three")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8),
        ),
        min_size=2,
        max_size=20,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_table_survives_a_round_trip(rows: list, separator: str) -> None:
    import fsspec

    frame = pd.DataFrame(rows, columns=["whole", "real", "words"])
    with fsspec.open("memory://any.csv", "wb") as stream:
        frame.to_csv(stream, sep=separator, index=False)
    got = read_table("memory://any.csv")
    assert list(got["whole"]) == list(frame["whole"])
    assert list(got["real"]) == list(frame["real"])
    assert list(got["words"].fillna("").astype(str)) == list(frame["words"]) or (
        pd.api.types.is_numeric_dtype(got["words"].dtype)
    )


def test_codes_with_leading_zeros_and_na_words_stay_as_written(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", "zip,other,x\n01234,none,NA\n99999,None,3\n")
    frame = read_table(path)
    assert list(frame["zip"]) == ["01234", "99999"]
    assert list(frame["other"]) == ["none", "None"]
    assert list(frame["x"]) == ["NA", "3"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Name;Straße\nMüller;Königsallee 5\nJäger;Größe\n", "cp1252"),
        ("姓名,城市\n张三,北京市朝阳区\n李四,上海浦东新区\n王五,广州天河\n", "gb18030"),
        ("imię;kwota\nŁukasz;1\nŻaneta;2\nGrześ;3\nŚwięty;4\n", "cp1250"),
        ("имя;сумма\nИван Петрович;1\nПётр Ильич;2\nАлексей;5\n", "cp1251"),
        ("a,b\n" + "foo,1\n" * 60_000 + "naïve €,2\n", "cp1252"),  # beyond the first sample
    ],
)
def test_the_encoding_is_found(tmp_path: Path, text: str, encoding: str) -> None:
    path = write(tmp_path / "b.csv", text, encoding)
    want = read_table(write(tmp_path / "u.csv", text))
    pd.testing.assert_frame_equal(read_table(path), want)


BROKEN = {
    "empty": (b"", "file is empty", "b.csv"),
    "blank": (b"\n \n\n", "file is empty", "b.csv"),
    "header only": (b"a,b,c\n", "header but no rows", "b.csv"),
    "rubbish": (bytes(range(256)) * 20, "no text in any", "b.csv"),
    "workbook": (b"PK\x03\x04" + bytes(100), "Excel workbook", "b.csv"),
    "short row": (b"a,b,c\n1,2,3\n1,2\n1,2,3\n", "row 2 has 2 fields, fewer", "row 2"),
    "long row": (b"a,b,c\n1,2,3\n1,2,3\n1,2,3,4\n1,2,3\n", "row 3 has 4 fields", "row 3"),
    "open quote": (b'a,b\n1,2\n"1,2\n3,4\n', "quote|fields", "b.csv"),
    "no separator": (b"a^b^c\n1^2^3\n4^5^6\n", "no separator", r"separator='\^'"),
    "two separators": (b"a,b,c\n1;2;3\n4;5;6\n4;5;6\n", "header has 1 fields", "line 1"),
    "twice": (b"a,b,a\n1,2,3\n1,2,3\n", "'a'", "line 1, column 1"),
    "no header": (b"1,2,3\n4,5,6\n7,8,9\n", "not column names", "line 1"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_end_in_one_line(tmp_path: Path, case: str) -> None:
    content, what, where = BROKEN[case]
    path = tmp_path / "b.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        read_table(path)
    assert pytest.importorskip("re").search(where, str(caught.value))
    assert "b.csv" in caught.value.where
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_ragged_row_deep_inside_a_quoted_file_is_numbered(tmp_path: Path) -> None:
    rows = [f'{i},"two\nlines",x' for i in range(1, 200_001)]
    rows[150_000] = "150001,short"
    path = write(tmp_path / "b.csv", "a,b,c\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match="row 150001 has 2 fields"):
        read_table(path)


def test_an_encoding_insisted_on_is_checked_and_the_cell_named(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", "id;name\n1;Meier\n2;Müller\n3;Schmidt\n", "cp1252")
    with pytest.raises(DataError, match="not valid utf-8") as caught:
        read_table(path, encoding="utf-8")
    assert "line 3, field 2" in caught.value.where
    assert "cp1252" in caught.value.remedy
    with pytest.raises(DataError, match="no encoding 'utf-7b'"):
        read_table(path, encoding="utf-7b")


def test_broken_files_of_other_formats(tmp_path: Path) -> None:
    for name in ("b.parquet", "b.xlsx", "b.csv.gz"):
        (tmp_path / name).write_bytes(b"rubbish" * 50)
        with pytest.raises(DataError, match="cannot be read") as caught:
            read_table(tmp_path / name)
        assert name in caught.value.where
    whole = bz2.compress(FRAME.to_csv(index=False).encode() * 50)
    (tmp_path / "cut.csv.bz2").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "cut.csv.bz2")
    write(tmp_path / "b.jsonl", '{"a": 1}\n{"a": 2\n')
    with pytest.raises(DataError, match="not JSON") as caught:
        read_table(tmp_path / "b.jsonl")
    assert "line 2" in caught.value.where
    with pytest.raises(DataError, match="no such file") as caught:
        read_table(tmp_path / "b.parqet")
    assert "b.parquet" in caught.value.remedy


SECRETS = [
    "https://anna:pa55word@example.invalid/book.csv?token=s3cr3t",
    "s3://AKIA:s3cr3t@bucket/book.parquet",
    "postgresql://anna:pa55word@example.invalid/book::loans",
    "mysql+nodriver://anna:p@55word@example.invalid/book::select pa55 from loans",
    "nosuch://anna:pa55word@example.invalid/book.csv",
]


@pytest.mark.parametrize("url", SECRETS)
def test_no_password_reaches_an_error(url: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(url)
    chain = f"{caught.value!r} {caught.value.__cause__!r} {safe_source(url)}"
    for secret in ("pa55word", "p@55word", "55word", "s3cr3t", "anna", "AKIA"):
        assert secret not in chain
    assert caught.value.__suppress_context__


def test_streaming_holds_one_part_and_reads_as_the_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200_000, 6)).round(4), columns=list("abcdef"))
    path = tmp_path / "b.csv"
    frame.to_csv(path, index=False)
    tracemalloc.start()
    total = sum(float(part["a"].astype(float).sum()) for part in iter_table(path, rows=20_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == pytest.approx(frame["a"].sum())
    assert peak < 20 * 2**20
    assert all((t == "str") for part in iter_table(path, rows=50_000) for t in part.dtypes)


def test_odd_but_honest_files(tmp_path: Path) -> None:
    want = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    for text in (
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\n1,x\n2,y",
        "a,b\n\n1,x\n\n2,y\n\n",
        '"a","b"\n"1","x"\n"2","y"\n',
        " a , b\n1,x\n2,y\n",
    ):
        pd.testing.assert_frame_equal(read_table(write(tmp_path / "b.csv", text)), want)
    assert len(read_table(write(tmp_path / "b.csv", "a;b\n1;2\n"))) == 1
    assert list(read_table(write(tmp_path / "b.csv", ",a\n0,5\n1,6\n"))) == ["unnamed_1", "a"]
    wide = pd.DataFrame(np.zeros((3, 40_000), dtype=int)).add_prefix("column_")
    wide.to_csv(tmp_path / "wide.csv", index=False)
    assert read_table(tmp_path / "wide.csv").shape == (3, 40_000)
    indexed = want.set_index(pd.Index([7, 8], name=None))
    indexed.to_parquet(tmp_path / "b.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "b.parquet"), want)


def test_rows_limits_what_is_read_and_fingerprints_follow_content(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    FRAME.to_csv(path, index=False)
    assert len(read_table(path, rows=2)) == 2
    assert fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert fingerprint(FRAME) == fingerprint(FRAME.copy())
    assert fingerprint(FRAME) != fingerprint(FRAME.assign(loan=[1, 2, 3, 5]))
    assert fingerprint(FRAME) != fingerprint(FRAME.rename(columns={"loan": "id"}))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", "a,b\n1,2\n")
    path.chmod(0)
    with pytest.raises(DataError, match="may not be read"):
        read_table(path)
