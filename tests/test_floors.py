"""Each floor of the house imports only from floors below it, and never a neighbour."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path


def test_the_contract_holds(repo: Path) -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program, "import-linter is part of the extra `test`"
    done = subprocess.run(
        [program, "--no-cache"], cwd=repo, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_no_vertical_knows_another(repo: Path) -> None:
    cases = [p for p in (repo / "verticals").iterdir() if (p / "__init__.py").exists()]
    assert cases
    for case in cases:
        for path in case.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
                known = {n.split(".")[1] for n in names if n.startswith("verticals.")}
                assert known <= {case.name}, path
