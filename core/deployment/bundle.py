"""The bundle that is handed over: written whole or not at all, verified before anything is loaded.

Verification covers the bytes at rest; whoever can write to an opened bundle's folder can still
change it afterwards. Knows no case: the predictor comes from the case registry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from core.cases import get_case
from core.deployment.archive import pack_folder, unpack
from core.deployment.files import digest_of, list_files, place, place_bytes, refuse_unsafe, sync
from core.deployment.manifest import (
    MANIFEST,
    MAX_FILES,
    MAX_MANIFEST_BYTES,
    SIGNATURE,
    Manifest,
)
from core.deployment.parity import largest_difference
from core.deployment.predictor import Predictor
from core.deployment.signing import sign, trusted_keys, verify
from core.errors import BundleError, CasekitError

MAX_BYTES = 8 * 2**30  # of all files together


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. A zipped one lives in a private folder for as long as this object does."""

    path: Path  # as it was opened: a folder or a .zip file
    folder: Path  # where its files lie
    manifest: Manifest
    signer: str  # public key, 64 hexadecimal digits
    digest: str = field(repr=False)  # SHA-256 of the manifest, which names every file's own

    @property
    def id(self) -> str:
        """Short name of exactly this bundle, for logs and answers."""
        return f"{self.manifest.case}-{self.digest[:12]}"

    @classmethod
    def open(cls, path: str | Path, *, trust: Iterable[str | Path] | None = None) -> Bundle:
        """Verify a bundle: signature, signer, and every file, before any of them is loaded.

        Args:
            path: A folder or a .zip file.
            trust: Public keys to accept beside the ones this user trusts already.

        Raises:
            BundleError: It is missing, incomplete, changed, unsigned or signed by a stranger.
        """
        path = Path(path)
        if not path.exists():
            raise BundleError(
                "there is no bundle here", where=str(path), remedy="Check the path of the bundle"
            )
        if path.is_dir():
            return cls(path, path, *_verify_folder(path, path, trust))
        folder = Path(tempfile.mkdtemp(prefix="casekit-bundle-"))
        try:
            unpack(path, folder, max_files=MAX_FILES + 2, max_bytes=MAX_BYTES)
            bundle = cls(path, folder, *_verify_folder(folder, path, trust))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        weakref.finalize(bundle, shutil.rmtree, folder, ignore_errors=True)
        return bundle

    def predictor(self) -> Predictor:
        """The model behind the bundle, loaded by its case.

        Raises:
            BundleError: The case is not installed, or takes and gives other fields by now.
        """
        try:
            case = get_case(self.manifest.case)
        except CasekitError as error:
            raise BundleError(
                f"the bundle's case cannot be used: {error.what}",
                where=str(self.path),
                remedy=error.remedy,
            ) from error
        try:
            predictor = case.open_predictor(self.folder, self.manifest)
        except CasekitError:
            raise
        except Exception as error:  # whatever a case's own code raises on files it does not know
            raise BundleError(
                f"the installed case cannot load the bundle ({type(error).__name__}: {error})",
                where=str(self.path),
                remedy=f"Use casekit {self.manifest.casekit_version}, or pack the bundle again",
            ) from error
        for promised, model in (
            (self.manifest.input_schema, predictor.input_model),
            (self.manifest.output_schema, predictor.output_model),
        ):
            differing = _fields(promised) ^ _fields(model.model_json_schema())
            if differing:
                raise BundleError(
                    "the installed case has other fields than the bundle promises",
                    where=", ".join(sorted(differing)[:5]),
                    remedy=f"Use casekit {self.manifest.casekit_version}, or pack the bundle again",
                )
        return predictor

    def replay(self, predictor: Predictor | None = None) -> float:
        """Answer the golden inputs again.

        Args:
            predictor: The loaded predictor, if there is one already.

        Returns:
            The largest absolute difference to the recorded answers, over all numbers; compare it
            with `manifest.golden.tolerance`.

        Raises:
            BundleError: An answer differs in more than its numbers, or an input is refused.
        """
        golden = self.manifest.golden
        predictor = self.predictor() if predictor is None else predictor
        try:
            inputs = [predictor.input_model.model_validate(row) for row in golden.inputs]
        except ValidationError as error:
            raise BundleError(
                "the model no longer accepts the golden inputs",
                where=".".join(map(str, error.errors()[0]["loc"])),
                remedy="Use the versions the bundle was made with (casekit bundle show)",
            ) from error
        outputs = [row.model_dump(mode="json", by_alias=True) for row in predictor.predict(inputs)]
        # Through JSON, as the recorded ones went: not-a-number becomes null on both sides.
        return largest_difference(
            orjson.loads(orjson.dumps(golden.outputs)), orjson.loads(orjson.dumps(outputs))
        )


def write_bundle(
    target: str | Path,
    *,
    manifest: Manifest,
    files: Mapping[str, Path | bytes],
    key: Ed25519PrivateKey | None = None,
) -> Path:
    """Write and sign a bundle. A kill at any moment leaves the old one or none, never half of one.

    Args:
        target: The folder to write, or a .zip file; a bundle that is there is replaced. One writer
            a target at a time.
        manifest: Everything but `files`, which is filled in here.
        files: Content by path inside the bundle: bytes, or a file to copy.
        key: Who signs; by default this user's own key, made on first use.

    Returns:
        The target.

    Raises:
        BundleError: A file's name or content is not in a safe format, or the target is taken by
            something that is not a bundle.
    """
    target = Path(target)
    zipped = target.suffix == ".zip"
    if target.exists() and not _is_bundle(target):
        raise BundleError(
            "the place is taken by something that is not a bundle",
            where=str(target),
            remedy="Choose another place",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir()
    try:
        digests = {path: place(partial, path, content) for path, content in files.items()}
        payload = Manifest.model_validate(manifest.model_dump() | {"files": digests}).to_bytes()
        place_bytes(partial / MANIFEST, payload)
        place_bytes(partial / SIGNATURE, sign(payload, key))
        if zipped:
            _replace_file(partial, [*files, MANIFEST, SIGNATURE], target)
        else:
            _replace_folder(partial, target)
    except ValidationError as error:
        raise BundleError(f"the manifest is not valid: {error.errors()[0]['msg']}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _verify_folder(
    folder: Path, shown: Path, trust: Iterable[str | Path] | None
) -> tuple[Manifest, str, str]:
    """Manifest, signer and digest of a folder that holds what it says, and nothing else."""
    found = list_files(folder)
    for name in (MANIFEST, SIGNATURE):
        if name not in found:
            raise BundleError(
                f"this is not a bundle: {name} is missing",
                where=str(shown),
                remedy="Give the folder or .zip file that a run wrote as its bundle",
            )
        if found[name] > MAX_MANIFEST_BYTES:
            raise BundleError(f"{name} is too large", where=str(shown))
    payload = (folder / MANIFEST).read_bytes()
    signer = verify(payload, (folder / SIGNATURE).read_bytes())
    if signer not in trusted_keys(trust or ()):
        raise BundleError(
            "the bundle is signed by a key you do not trust",
            where=str(shown),
            remedy="If you know whose key it is: "
            f"casekit bundle verify {shown} --trust {signer} (or set CASEKIT_TRUST)",
        )
    manifest = Manifest.from_bytes(payload)
    listed = set(manifest.files) | {MANIFEST, SIGNATURE}
    for problem, names in (("missing", listed - found.keys()), ("extra", found.keys() - listed)):
        if names:
            raise BundleError(
                f"{len(names)} {problem} file(s) in the bundle",
                where=", ".join(sorted(names)[:5]),
                remedy="Get the bundle again from whoever made it",
            )
    if sum(found.values()) > MAX_BYTES:
        raise BundleError(f"the bundle is larger than {MAX_BYTES / 2**30:.3g} GiB")
    for name, digest in manifest.files.items():
        if digest_of(folder / name) != digest:
            raise BundleError(
                "a file of the bundle was changed or damaged",
                where=name,
                remedy="Get the bundle again from whoever made it",
            )
        refuse_unsafe(folder / name, name)
    return manifest, signer, hashlib.sha256(payload).hexdigest()


def _fields(schema: Mapping[str, Any]) -> set[str]:
    """Names of the fields in a JSON schema of an object."""
    return set(schema.get("properties", ()))


def _is_bundle(target: Path) -> bool:
    """Whether this may be replaced: a bundle, or an empty folder."""
    if target.is_dir():
        return (target / MANIFEST).exists() or not any(target.iterdir())
    return target.suffix == ".zip"


def _replace_folder(partial: Path, target: Path) -> None:
    """Put a finished folder in place; between the two renames there is no bundle at all."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    for parent, _, _ in os.walk(partial):
        sync(Path(parent))
    if target.exists():
        target.rename(old)
    partial.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _replace_file(folder: Path, names: Iterable[str], target: Path) -> None:
    """Put a finished folder in place as one file, in one step."""
    packed = folder / "bundle.zip"
    pack_folder(folder, names, packed)
    sync(packed)
    packed.replace(target)
    sync(target.parent)
