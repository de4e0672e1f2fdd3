"""Answers on their way to the channels: where the platforms are, how fast, how long, and the tokens' key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.keys import Keys
from config.retry import RetrySection
from config.section import PositiveInt, PositiveSeconds

Url = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$", max_length=500)]
Path = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]+$", max_length=200)]
Rate = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


class DeliverySettings(RetrySection):
    """Of the delivery worker; the keys are those of `tongdai pages`, too."""

    keys: Keys = ()
    """Encrypt the pages' tokens in the database, separated by commas: the first encrypts, all decrypt."""
    messenger_url: Url = "https://graph.facebook.com/v26.0"
    """Of the Graph API, with its version."""
    zalo_url: Url = "https://openapi.zalo.me"
    """Of Zalo's API."""
    zalo_oauth_url: Url = "https://oauth.zaloapp.com"
    """Where its tokens are exchanged."""
    fchat_url: Url = "https://fchat.vn"
    """Of FChat's API."""
    messenger_page_rate_per_s: Rate = 300.0
    """Of texts and pictures; sounds and films count thirty times, as the platform allows ten of them."""
    messenger_ad_days: Annotated[float, Field(ge=0, le=30)] = 7.0
    """So long after a customer came by an advertisement Messenger takes answers, without a tag."""
    zalo_app_rate_per_s: Rate = 4_000 / 60
    """Of all pages of one Zalo app together."""
    fchat_page_rate_per_s: Rate = 10.0
    """FChat documents no limit: a cautious one."""
    messenger_read_rate_per_s: Rate = 2.0
    """Calls of the Conversations and User Profile APIs for each page."""
    zalo_read_rate_per_s: Rate = 2.0
    """The same of Zalo, where they count against the app's rate, too; half of a second's worth of that is
    kept for answers."""
    zalo_profile_path: Path = "/v3.0/oa/user/detail"
    """Of the call that tells who a customer is."""
    zalo_conversation_path: Path = "/v2.0/oa/conversation"
    """Of the call that tells older messages of one customer."""
    zalo_recent_path: Path = "/v2.0/oa/listrecentchat"
    """Of the call that tells with whom the account has talked."""
    zalo_form_title: Annotated[str, Field(min_length=1, max_length=100)] = "Chia sẻ thông tin liên hệ"
    """Over the form by which a customer shares who he is."""
    zalo_form_picture: Url | None = None
    """Over it; unset, the form has none."""
    profile_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    """So long a customer who was looked up is not looked up again."""
    history_days: Annotated[float, Field(gt=0, le=3_650)] = 365.0
    """So far back older messages are fetched."""
    history_age_s: Annotated[float, Field(ge=0, le=7 * 24 * 60 * 60)] = 2 * 60 * 60.0
    """Messages that are younger are left to the webhook, which channels repeat for an hour."""
    history_messages_max: Annotated[PositiveInt, Field(le=100_000)] = 1_000
    """Fetched of one conversation, the newest."""
    history_author: Literal["human", "bot"] = "human"
    """Whose an older answer of the page is that is not ours: channels do not tell."""
    page_parallel_max: Annotated[PositiveInt, Field(le=1_000)] = 32
    """Messages of one page under way at once, in each worker; while the channel fails, one."""
    connect_timeout_s: PositiveSeconds = 3.0
    """For a new connection."""
    request_timeout_s: Annotated[PositiveSeconds, Field(le=60)] = 10.0
    """From the beginning of connecting to the end of the answer."""
    attempts_max: Annotated[PositiveInt, Field(le=1_000)] = 12
    """Failures of the channel in a row after which a message has failed."""
    retry_first_s: PositiveSeconds = 1.0
    """The waits between attempts double from this one."""
    retry_last_s: PositiveSeconds = 300.0
    """To this one."""
    pause_retry_s: PositiveSeconds = 600.0
    """A page that is paused is tried with one message after so long."""
    echo_wait_s: PositiveSeconds = 20.0
    """So long a message without an answer waits for the channel's echo of it."""
    unanswered: Literal["mark", "resend"] = "mark"
    """What becomes of it then: `mark` leaves it unknown and goes on, `resend` gives each part once more."""
    refresh_part: Annotated[float, Field(gt=0.1, lt=1)] = 0.8
    """Zalo's tokens are exchanged when this part of their life is over."""
    waiting_max: Annotated[PositiveInt, Field(le=10_000)] = 200
    """Answers that wait in one conversation; more have failed."""
