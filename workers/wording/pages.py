"""Words for a page's admins how it stands: paused, and what they can do, or sending again. Pure."""

from __future__ import annotations

from schemas.receipts import DeliveryReason
from workers.wording.delivery import Told, word_delivery
from workers.wording.word import LanguageCode

_PAUSED: dict[LanguageCode, str] = {"vi": "Trang tạm ngừng gửi tin", "en": "The page sends nothing for now"}
_RESUMED: dict[LanguageCode, Told] = {
    "vi": Told("Trang đã gửi tin trở lại; các tin đang chờ được gửi trước", ""),
    "en": Told("The page sends again, beginning with what has waited", ""),
}
# Agents are told to turn to those who read this.
_ADVICE: dict[LanguageCode, dict[DeliveryReason, str]] = {
    "vi": {
        "not_connected": "Kết nối trang với quyền gửi tin; các tin đang chờ sẽ tự gửi sau đó",
        "token_broken": "Kết nối lại trang; các tin đang chờ sẽ tự gửi sau đó",
        "permission_missing": "Cấp lại quyền gửi tin rồi kết nối lại; các tin đang chờ sẽ tự gửi sau đó",
        "page_blocked": "Làm việc với kênh để mở khóa; các tin đang chờ sẽ tự gửi sau đó",
        "page_restricted": "Xem thông báo của kênh và gửi ít lại; các tin đang chờ sẽ tự gửi khi hết hạn chế",
        "billing": "Nạp thêm hạn mức hoặc tiền cho tài khoản kênh; các tin đang chờ sẽ tự gửi sau đó",
    },
    "en": {
        "not_connected": "Connect the page for sending; what waits is sent by itself then",
        "token_broken": "Connect the page again; what waits is sent by itself then",
        "permission_missing": "Grant sending and connect the page again; what waits is sent by itself then",
        "page_blocked": "Settle it with the channel; what waits is sent by itself then",
        "page_restricted": "See what the channel says, and send less; what waits is sent by itself then",
        "billing": "Give the channel account quota or money; what waits is sent by itself then",
    },
}


def word_page(paused: DeliveryReason | None, language: LanguageCode) -> Told:
    """How a page stands that is paused for this reason, or that goes on."""
    if paused is None:
        return _RESUMED[language]
    why = word_delivery("queued", paused, language)
    said = why.text.partition(": ")[2]
    return Told(f"{_PAUSED[language]}: {said}", _ADVICE[language].get(paused, why.advice))
