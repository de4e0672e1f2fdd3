"""The apps that sign, and pages to write to."""

from __future__ import annotations

import pytest

from config.ingress import IngressSettings

PAGES = ("messenger:1048", "messenger:1049", "zalo:5797")


@pytest.fixture
def apps() -> IngressSettings:
    return IngressSettings.model_validate(
        {
            "messenger_apps": [{"app_secret": "s", "verify_token": "t"}],
            "zalo_apps": [{"app_id": "77", "secret_key": "k", "oa_secret_key": "oa"}],
        }
    )
