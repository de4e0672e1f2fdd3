"""All sections of the settings, and which of them stands for what."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from config.attachments import AttachmentsSettings
from config.delivery import DeliverySettings
from config.gateway import GatewaySettings
from config.ingress import IngressSettings
from config.kafka import KafkaSettings
from config.log import LogSettings
from config.mail import MailSettings
from config.phone import PhoneSettings
from config.postgres import PostgresSettings
from config.profile import Profile
from config.routing import RoutingSettings
from config.runtime import RuntimeSettings
from config.webhooks import WebhooksSettings
from config.website import WebsiteSettings


class Sections(BaseSettings):
    """What can be set, wherever it is read from."""

    profile: Profile = "local"
    kafka: KafkaSettings = KafkaSettings()
    postgres: PostgresSettings = PostgresSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    routing: RoutingSettings = RoutingSettings()
    ingress: IngressSettings = IngressSettings()
    gateway: GatewaySettings = GatewaySettings()
    delivery: DeliverySettings = DeliverySettings()
    mail: MailSettings = MailSettings()
    phone: PhoneSettings = PhoneSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    website: WebsiteSettings = WebsiteSettings()
    attachments: AttachmentsSettings = AttachmentsSettings()
    log: LogSettings = LogSettings()
