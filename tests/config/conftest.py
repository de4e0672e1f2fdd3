"""Settings as a test wants them: its own environment and `.env`, nothing of the machine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.problem import SettingsError
from config.settings import Settings, load_settings
from tests.config.loading import Load, Refuse


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `.env` of an otherwise empty current folder; it does not exist yet."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".env"


@pytest.fixture
def load(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load settings with some variables set, named without their prefix."""

    def loaded(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(f"TONGDAI_{name}", value)
        return load_settings(Path(env_file.name))

    return loaded


@pytest.fixture
def refuse(load: Load) -> Refuse:
    """Load settings that must be refused; return what is said of each variable."""

    def refused(**variables: str) -> dict[str, str]:
        with pytest.raises(SettingsError) as caught:
            load(**variables)
        return {problem.setting: problem.text for problem in caught.value.problems}

    return refused
