"""What a profile sets unless somebody sets it: the sizes of a laptop or of a cluster."""

from __future__ import annotations

from typing import Any, Literal

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

Profile = Literal["local", "production"]

PROFILES: dict[Profile, dict[str, dict[str, Any]]] = {
    "local": {
        "kafka": {
            "conversation_partitions": 6,
            "desk_partitions": 3,
            "replication_factor": 1,
            "min_insync_replicas": 1,
        },
    },
    "production": {
        "kafka": {
            "conversation_partitions": 48,
            "desk_partitions": 24,
            "replication_factor": 3,
            "min_insync_replicas": 2,
        },
        "log": {"format": "json"},
    },
}


class ProfileDefaults(PydanticBaseSettingsSource):
    """The source of settings below the environment and `.env`: the chosen profile's own defaults."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the profile's values of one section (none: `None`)."""
        values: dict[Any, dict[str, Any]] = PROFILES.get(self.current_state.get("profile", "local"), {})
        return values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all sections that the profile speaks of."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}
