"""How a command begins: settings read and checked, logging set up."""

from __future__ import annotations

from config.logging import configure_logging, get_logger
from config.settings import Settings, load_settings


def start_tool() -> Settings:
    """Return the settings for a short command: libraries stay silent, since its own errors say it all.

    With `TONGDAI_LOG_LEVEL=debug` everything is logged. Raises `SettingsError`.
    """
    settings = load_settings()
    quiet = settings.log.level != "debug"
    configure_logging(settings.log.model_copy(update={"level": "critical"}) if quiet else settings.log)
    return settings


def start_worker() -> Settings:
    """Return the settings for a command that runs for long; logs what is unsafe. Raises `SettingsError`."""
    settings = load_settings()
    configure_logging(settings.log)
    for warning in settings.warnings:
        get_logger(__name__).warning("unsafe setting", setting=warning.setting, why=warning.text)
    return settings
