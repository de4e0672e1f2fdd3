"""How a command begins: settings read and checked, logging set up."""

from __future__ import annotations

from config.logging import configure_logging, get_logger
from config.settings import Settings, load_settings
from workers.runtime.broken_connection import tell_broken_connections


def start_tool() -> Settings:
    """Return the settings for a short command: only errors are logged, such as why a certificate is refused.

    With `TONGDAI_LOG_LEVEL=debug` everything is. Raises `SettingsError`.
    """
    settings = load_settings()
    chatty = settings.log.level in {"info", "warning"}
    configure_logging(settings.log.model_copy(update={"level": "error"}) if chatty else settings.log)
    return settings


def start_worker() -> Settings:
    """Return the settings for a command that runs for long; logs what is unsafe. Raises `SettingsError`."""
    settings = load_settings()
    configure_logging(settings.log)
    tell_broken_connections()
    for warning in settings.warnings:
        get_logger(__name__).warning("unsafe setting", setting=warning.setting, why=warning.text)
    return settings
