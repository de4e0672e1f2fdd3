"""Who plays in the story: a shop, its pages, its agents, its customers."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

from schemas.definitions import Agent, Department, KeywordList, Page, Policy, Reason, Rule
from schemas.ids import agent_key, conversation_id, conversation_key, desk_key

WORKSPACE = "hoa-sen"
DESK = "main"
DESK_KEY = desk_key(WORKSPACE, DESK)

ACCOUNT = "104857600012345"
PAGE = f"messenger:{ACCOUNT}"
USER = "7482910385512345"
CUSTOMER = "Phạm Thu Hà"
KEY = conversation_key("messenger", ACCOUNT, USER)
CONVERSATION = conversation_id(KEY)

ZALO_ACCOUNT = "579745863508352884"
ZALO_PAGE = f"zalo:{ZALO_ACCOUNT}"
WAITING_KEY = conversation_key("messenger", ACCOUNT, "7482910385519999")
CLAIMED_KEY = conversation_key("zalo", ZALO_ACCOUNT, "2512523625412515")

LAN = Agent(id="lan", name="Nguyễn Thị Lan", capacity=20)
MINH = Agent(id="minh", name="Trần Văn Minh", capacity=20)
SALES = Department(id="ban-hang", name="Bán hàng", agents=("lan", "minh"))
SAIGON = Page(id=PAGE, name="Hoa Sen Sài Gòn", admins=("lan",))
ZALO = Page(id=ZALO_PAGE, name="Hoa Sen Zalo", admins=("lan",))
RULE = Rule(
    id="messenger-deu",
    name="Messenger chia đều",
    owner="lan",
    pages=(PAGE,),
    departments=("ban-hang",),
    method="round_robin",
)
CLAIM_RULE = Rule(
    id="zalo-tu-nhan",
    name="Zalo tự nhận",
    owner="lan",
    pages=(ZALO_PAGE,),
    departments=("ban-hang",),
    method="self_claim",
    reply_claims=True,
    offline_grace_s=600,
)
POLICY = Policy(
    reasons=(Reason(id="khong-mua", name="Khách không mua", care="refused"),),
    keyword_lists=(KeywordList(id="hoi-gia", words=("giá", "bao nhiêu", "bảng giá")),),
    silent_after_s=1_800,
)
LAN_KEY = agent_key(WORKSPACE, "lan")
MINH_KEY = agent_key(WORKSPACE, "minh")
ACTOR = "cli:0b0e6f0a-9d0e-4a63-8f0c-3d2f8b1d6a01"
IDEMPOTENCY_KEY = "5e1f6f0c-28c4-4d0e-9a2b-7a3b1f0c9d02"


def conversation_of(key: str) -> UUID:
    """Return the conversation's id; it is computed from the key."""
    return conversation_id(key)


def request_key(what: str) -> str:
    """Return the idempotency key under which somebody asked for `what`."""
    return str(uuid5(NAMESPACE_URL, f"urn:tongdai:example:{what}"))
