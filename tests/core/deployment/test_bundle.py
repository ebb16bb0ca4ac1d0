"""A bundle is written whole, verified before it is loaded, and refused after one flipped bit."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.deployment import archive, files
from core.deployment.bundle import Bundle, write_bundle
from core.deployment.manifest import Manifest
from core.deployment.signing import public_key, trust_key
from core.errors import BundleError

NAMES = ["manifest.json", "signature.json", "weights.json", "docs/card.md"]


def flip(path: Path, position: int) -> bytes:
    """Flip one bit of a file, counted from its start and wrapped around; returns what it was."""
    content = path.read_bytes()
    byte, bit = divmod(position % (8 * len(content)), 8)
    changed = bytearray(content)
    changed[byte] ^= 1 << bit
    path.write_bytes(changed)
    return content


def test_opens_predicts_and_replays(tiny_bundle: Path, tiny_case: ModuleType) -> None:
    bundle = Bundle.open(tiny_bundle)
    (answer,) = bundle.predictor().predict([tiny_case.TinyInput(income=0, age=100)])
    assert answer.risk == pytest.approx(0.5)  # logit = 1 - 0.01 * 100 = 0
    assert bundle.replay() == 0.0
    assert bundle.id.startswith("tiny-")
    assert set(bundle.manifest.files) == {"weights.json", "docs/card.md"}


def test_replay_measures_and_names_differences(tiny_bundle: Path, tiny_case: ModuleType) -> None:
    bundle = Bundle.open(tiny_bundle)
    nudged = tiny_case.TinyPredictor(tiny_case.WEIGHTS | {"intercept": 1.001})
    # The logistic curve is nowhere steeper than 1/4.
    assert 0 < bundle.replay(nudged) <= 0.001 / 4
    turned = tiny_case.TinyPredictor(tiny_case.WEIGHTS | {"intercept": -9})
    with pytest.raises(BundleError, match=r"decline.*\[0\]\.decision"):
        bundle.replay(turned)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(position=st.integers(0, 10**7), name=st.sampled_from(NAMES))
def test_one_flipped_bit_is_refused(tiny_bundle: Path, position: int, name: str) -> None:
    path = tiny_bundle / name if tiny_bundle.is_dir() else tiny_bundle
    content = flip(path, position)
    try:
        with pytest.raises(BundleError):
            Bundle.open(tiny_bundle)
    finally:
        path.write_bytes(content)
    Bundle.open(tiny_bundle)


@pytest.mark.parametrize("bit", [0, 5])
def test_a_flip_in_every_byte_of_the_signature_is_refused(folder_bundle: Path, bit: int) -> None:
    path = folder_bundle / "signature.json"
    for byte in range(path.stat().st_size):
        content = flip(path, 8 * byte + bit)  # bit 5 turns a letter's case
        with pytest.raises(BundleError):
            Bundle.open(folder_bundle)
        path.write_bytes(content)


def test_a_flip_in_every_byte_of_the_archive_is_refused(
    tmp_path: Path, tiny_manifest: Manifest
) -> None:
    path = write_bundle(tmp_path / "b.zip", manifest=tiny_manifest, files={"a.txt": b"abc"})
    for byte in range(0, path.stat().st_size, 5):
        content = flip(path, 8 * byte + byte % 8)
        with pytest.raises(BundleError):
            Bundle.open(path)
        path.write_bytes(content)


def test_bytes_around_an_archive_are_refused(zip_bundle: Path, tmp_path: Path) -> None:
    for content in (b"x" + zip_bundle.read_bytes(), zip_bundle.read_bytes() + b"x"):
        changed = tmp_path / "changed.zip"
        changed.write_bytes(content)
        with pytest.raises(BundleError, match="not written by casekit"):
            Bundle.open(changed)


def test_extra_missing_and_linked_files_are_refused(folder_bundle: Path, tmp_path: Path) -> None:
    folder = folder_bundle
    (folder / "docs" / "more.txt").write_text("x")
    with pytest.raises(BundleError, match=r"1 extra file.*docs/more\.txt"):
        Bundle.open(folder)
    (folder / "docs" / "more.txt").unlink()
    (folder / "docs" / "card.md").rename(tmp_path / "card.md")
    with pytest.raises(BundleError, match=r"1 missing file.*docs/card\.md"):
        Bundle.open(folder)
    (folder / "docs" / "card.md").symlink_to(tmp_path / "card.md")
    with pytest.raises(BundleError, match="plain files only"):
        Bundle.open(folder)


def test_a_folder_that_is_no_bundle_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle here"):
        Bundle.open(tmp_path / "nothing")
    with pytest.raises(BundleError, match=r"manifest\.json is missing"):
        Bundle.open(tmp_path)
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(BundleError, match="damaged"):
        Bundle.open(tmp_path / "text.zip")


def test_a_strangers_bundle_needs_trust(
    tmp_path: Path, tiny_manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Ed25519PrivateKey.generate()
    name = public_key(stranger)
    path = write_bundle(tmp_path / "b", manifest=tiny_manifest, files={"a.txt": b"x"}, key=stranger)
    with pytest.raises(BundleError, match=f"do not trust.*verify {path} --trust {name}"):
        Bundle.open(path)
    assert Bundle.open(path, trust=[name]).signer == name
    with monkeypatch.context() as patch:
        patch.setenv("CASEKIT_TRUST", name)
        Bundle.open(path)
    with pytest.raises(BundleError):
        Bundle.open(path)
    trust_key(name)
    Bundle.open(path)


def test_a_signature_of_another_bundle_is_refused(tmp_path: Path, tiny_manifest: Manifest) -> None:
    one = write_bundle(tmp_path / "one", manifest=tiny_manifest, files={"a.txt": b"1"})
    two = write_bundle(tmp_path / "two", manifest=tiny_manifest, files={"a.txt": b"2"})
    shutil.copy(one / "signature.json", two / "signature.json")
    with pytest.raises(BundleError, match="does not match"):
        Bundle.open(two)


@pytest.mark.parametrize(
    "name",
    ["model.pkl", "model.pt", "model.bin", "run.py", "a/../b.txt", "/etc/x.txt", "a\\b.txt",
     ".hidden.txt", "x.txt.pickle", "manifest.json", "SIGNATURE.json", "a//b.txt", "nosuffix"],
)  # fmt: skip
def test_unsafe_names_are_refused(tmp_path: Path, tiny_manifest: Manifest, name: str) -> None:
    with pytest.raises(BundleError):
        write_bundle(tmp_path / "b", manifest=tiny_manifest, files={name: b"x"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"\x80\x04\x95pickled", b"PK\x03\x04torch.save"])
def test_unsafe_content_behind_a_safe_name_is_refused(
    tmp_path: Path, tiny_manifest: Manifest, content: bytes
) -> None:
    with pytest.raises(BundleError, match="may run code"):
        write_bundle(tmp_path / "b", manifest=tiny_manifest, files={"model.txt": content})
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt"])
def test_an_archive_cannot_write_outside(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as bad:
        bad.writestr(name, b"x")
    with pytest.raises(BundleError):
        Bundle.open(path)
    assert not (tmp_path / "evil.txt").exists()


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("manifest.json", b"0" * 50_000_000)
    with pytest.raises(BundleError, match="not stored plainly"):
        Bundle.open(path)


def test_archives_are_the_same_on_every_python(tmp_path: Path) -> None:
    # Bundles must open after an upgrade: this digest may never change.
    (tmp_path / "a.txt").write_bytes(b"alpha")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "b.txt").write_bytes(b"beta")
    archive.pack_folder(tmp_path, ["d/b.txt", "a.txt"], tmp_path / "x.zip")
    digest = hashlib.sha256((tmp_path / "x.zip").read_bytes()).hexdigest()
    assert digest == "654e8ddb91bb64083f7f324323dc8ec213d972094e9ac47ce1f354fec685efae"


def test_a_bundle_whose_case_is_not_installed_says_so(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.open(tiny_bundle)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    with pytest.raises(BundleError, match="no case named 'tiny'"):
        bundle.predictor()


def test_a_bundle_without_what_its_case_needs_says_so(
    tmp_path: Path, tiny_manifest: Manifest
) -> None:
    path = write_bundle(tmp_path / "b", manifest=tiny_manifest, files={"other.json": b"{}"})
    with pytest.raises(BundleError, match=r"cannot load the bundle \(FileNotFoundError"):
        Bundle.open(path).predictor()


def test_a_case_whose_fields_changed_says_so(
    tiny_bundle: Path, tiny_case: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wider(tiny_case.TinyInput):
        salary: float = 0

    monkeypatch.setattr(tiny_case.TinyPredictor, "input_model", Wider)
    with pytest.raises(BundleError, match=r"other fields.*\(salary\)"):
        Bundle.open(tiny_bundle).predictor()


def test_an_unpacked_archive_leaves_nothing_behind(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)
    folder = bundle.folder
    assert (folder / "weights.json").exists()
    del bundle
    assert folder.exists() == tiny_bundle.is_dir()


def test_a_kill_never_leaves_half_a_bundle(
    tmp_path: Path,
    tiny_manifest: Manifest,
    tiny_files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Die at every moment that reaches the disk, while an older bundle is replaced."""
    older = {"weights.json": tiny_files["weights.json"], "old.txt": b"old"}
    for suffix in ("", ".zip"):
        target = tmp_path / f"bundle{suffix}"
        for moment in range(1, 12):
            write_bundle(target, manifest=tiny_manifest, files=older)
            child = os.fork()
            if child == 0:
                die_at(moment, monkeypatch)
                write_bundle(target, manifest=tiny_manifest, files=tiny_files)
                os._exit(0)
            survived = os.waitpid(child, 0)[1] == 0
            if target.exists():
                found = Bundle.open(target).manifest.files.keys()
                assert found in (tiny_files.keys(), older.keys())
            write_bundle(target, manifest=tiny_manifest, files=tiny_files)  # restarts cleanly
            assert Bundle.open(target).manifest.files.keys() == tiny_files.keys()
            assert not [p for p in tmp_path.iterdir() if p.name.startswith(".bundle")]
            if survived:
                break
        assert survived


def die_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End this process without any clean-up at its n-th write to disk."""
    count = 0
    real = files.sync

    def sync(path: Path) -> None:
        nonlocal count
        count += 1
        if count == moment:
            os._exit(9)
        real(path)

    monkeypatch.setattr("core.deployment.files.sync", sync)
    monkeypatch.setattr("core.deployment.bundle.sync", sync)
