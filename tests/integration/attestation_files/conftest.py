"""A repository to be hostile with."""

import shutil
from pathlib import Path

import pytest
from repository import Repository


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Repository(tmp_path_factory.mktemp("committed"))
    repository.git("init", "--quiet", "-b", "main")
    repository.write(".gitignore", "dist/\n")
    repository.write("README.md", "orders\n")
    repository.write("src/orders/__init__.py", "")
    repository.write("src/orders/tools.py", "x = 1\n")
    repository.write("src/orders.txt", "sorts between `src/orders` and `src/orders/`\n")
    repository.write("src/run.sh", "#!/bin/sh\n").chmod(0o755)
    repository.write("manifests/server.toml", 'name = "orders"\n')
    repository.write("policy/rules.cedar", "// none\n")
    repository.write("config/production.toml", "[server]\n")
    repository.write("promotion.toml", "\n")
    repository.write("launchworthy.lock", "{}\n")
    repository.write("uv.lock", "version = 1\n")
    (repository.root / "link").symlink_to("README.md")
    repository.commit()
    return repository.root


@pytest.fixture
def repository(committed: Path, tmp_path: Path) -> Repository:
    shutil.copytree(committed, tmp_path / "orders", symlinks=True)
    return Repository(tmp_path / "orders")
