"""The one settings object: read from the environment and `.env`, refused when wrong or unsafe."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Self

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from config.checks import problems_of
from config.checks.servers import warnings_of
from config.kafka import KafkaSettings
from config.postgres import PostgresSettings
from config.problem import ENV_PREFIX, Problem, SettingsError
from config.profile import ProfileDefaults
from config.reference import more_variables
from config.sections import Sections
from config.validation import problems_of_values
from config.variables import Variables, unknown_variables

ENV_FILE = Path(".env")


class Settings(Sections):
    """All that can be set. `TONGDAI_<SECTION>_<FIELD>` names a field; the environment wins over `.env`."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        env_file_encoding="utf-8",
        extra="ignore",
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources, the strongest first: arguments, environment, `.env`, profile."""
        return init_settings, env_settings, dotenv_settings, ProfileDefaults(settings_cls)

    def with_servers(self, *, bootstrap_servers: str, dsn: str) -> Self:
        """Return these settings with the addresses of other servers, such as embedded ones."""
        kafka = KafkaSettings.model_validate(
            self.kafka.model_dump() | {"bootstrap_servers": bootstrap_servers}
        )
        postgres = PostgresSettings.model_validate(self.postgres.model_dump() | {"dsn": SecretStr(dsn)})
        return self.model_copy(update={"kafka": kafka, "postgres": postgres})

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed in this profile, but unsafe: to be logged at start."""
        return warnings_of(self.profile, self.kafka, self.postgres)


def load_settings(env_file: Path = ENV_FILE) -> Settings:
    """Read and check the settings; raise `SettingsError` with every problem that was found."""
    variables = Variables.read(env_file)
    problems = [*variables.problems, *unknown_variables(variables, Settings)]
    try:
        with more_variables(dotenv_values(env_file)):
            settings = Settings(_env_file=env_file)
    except ValidationError as error:
        raise SettingsError((*problems, *problems_of_values(error))) from error
    except SourceError as error:  # a whole section as one variable, which is among the unknown ones
        raise SettingsError(tuple(problems)) from error
    problems += problems_of(settings)
    if problems:
        raise SettingsError(tuple(problems))
    return settings
