"""Words how a message to a customer stands: what is the matter, and what an agent can do. Pure."""

from __future__ import annotations

from typing import NamedTuple, get_args

from schemas.receipts import DeliveryReason, DeliveryState
from workers.wording.word import LanguageCode


class Told(NamedTuple):
    """A state in words; `advice` is empty when there is nothing to do."""

    text: str
    advice: str


_STATES: dict[LanguageCode, dict[str, str]] = {
    "vi": {
        "queued": "Đang chờ gửi",
        "sent": "Đã gửi",
        "delivered": "Khách đã nhận",
        "read": "Khách đã xem",
        "failed": "Không gửi được",
        "unknown": "Chưa rõ đã gửi hay chưa",
        "ringing": "Đang đổ chuông",
        "answered": "Đang nói chuyện",
        "ended": "Đã gọi xong",
        "not_called": "Không gọi được",
    },
    "en": {
        "queued": "Waiting to be sent",
        "sent": "Sent",
        "delivered": "Delivered",
        "read": "Read",
        "failed": "Not sent",
        "unknown": "Sent or not: unknown",
        "ringing": "Ringing",
        "answered": "Talking",
        "ended": "The call is over",
        "not_called": "Not reached",
    },
}
_VI: dict[DeliveryReason, tuple[str, str]] = {
    "window_closed": (
        "khách nhắn lần cuối đã quá lâu, kênh không cho trả lời nữa",
        "Chờ khách nhắn lại, hoặc liên hệ qua điện thoại",
    ),
    "window_paid": (
        "đã quá 48 giờ, Zalo tính phí tin này và trang chưa bật trả phí",
        "Nhờ quản trị trang bật trả phí, hoặc chờ khách nhắn lại",
    ),
    "too_long": ("tin dài hơn mức kênh cho phép", "Chia tin thành nhiều phần ngắn hơn rồi gửi lại"),
    "unsupported": ("kênh không nhận loại tệp này", "Gửi bằng hình ảnh hoặc đường dẫn"),
    "files_not_set": (
        "hệ thống chưa được cài đặt để kênh lấy được tệp",
        "Nhờ quản trị viên cài đặt địa chỉ công khai cho tệp rồi gửi lại",
    ),
    "unreachable": (
        "khách đã chặn trang, bỏ quan tâm hoặc không còn dùng tài khoản",
        "Liên hệ khách qua kênh khác",
    ),
    "rejected": ("kênh từ chối tin này", "Sửa nội dung rồi gửi lại"),
    "other_app": (
        "một bot hoặc ứng dụng khác đang giữ hội thoại trên kênh",
        "Chờ bot chuyển lại, hoặc nhờ quản trị trang lấy lại quyền trả lời",
    ),
    "policy": ("tin trái với chính sách của kênh", "Sửa nội dung theo chính sách rồi gửi lại"),
    "billing": (
        "tài khoản kênh hết hạn mức hoặc hết tiền",
        "Báo quản trị trang nạp thêm; tin sẽ tự gửi sau đó",
    ),
    "attachment_gone": ("tệp đính kèm không còn nữa", "Đính kèm lại rồi gửi"),
    "not_connected": ("trang chưa được kết nối để gửi", "Nhờ quản trị trang kết nối; tin sẽ tự gửi sau đó"),
    "token_broken": (
        "kết nối của trang đã hết hiệu lực",
        "Nhờ quản trị trang kết nối lại; tin sẽ tự gửi sau đó",
    ),
    "permission_missing": (
        "kết nối của trang không có quyền gửi tin",
        "Nhờ quản trị trang cấp lại quyền; tin sẽ tự gửi sau đó",
    ),
    "page_blocked": ("kênh đã khóa trang", "Nhờ quản trị trang làm việc với kênh"),
    "page_restricted": ("kênh đang tạm hạn chế trang", "Chờ; tin sẽ tự gửi khi hết hạn chế"),
    "rate_limited": ("đang gửi quá nhiều cùng lúc", "Chờ; tin sẽ tự gửi"),
    "channel_down": ("kênh đang trục trặc", "Tin chờ sẽ tự gửi lại; tin đã hỏng thì gửi lại sau"),
    "no_answer": (
        "không có trả lời, nên không rõ khách đã nhận chưa",
        "Xem đã đến nơi chưa trước khi gửi lại, để khách không nhận hai lần",
    ),
    "too_many": ("quá nhiều tin đang chờ trong hội thoại", "Chờ các tin trước gửi xong rồi gửi lại"),
    "mail_not_set": (
        "trang chưa được cài đặt để gửi e-mail",
        "Nhờ quản trị viên cài đặt e-mail cho trang rồi gửi lại",
    ),
    "mail_address": ("máy chủ thư không nhận địa chỉ e-mail này", "Hỏi lại địa chỉ của khách rồi gửi lại"),
    "mail_refused": ("máy chủ thư từ chối e-mail này", "Sửa nội dung rồi gửi lại, hoặc báo quản trị viên"),
    "mail_too_large": (
        "e-mail lớn hơn mức máy chủ thư cho phép",
        "Gửi lại với ít tệp hơn, hoặc tệp nhỏ hơn",
    ),
    "mail_later": ("máy chủ thư hẹn nhận sau", "Chờ; e-mail sẽ tự gửi"),
    "mail_login": (
        "máy chủ thư không nhận đăng nhập của trang",
        "Báo quản trị viên; e-mail sẽ tự gửi sau đó",
    ),
    "mail_down": ("không kết nối an toàn được tới máy chủ thư", "Chờ; e-mail sẽ tự gửi lại"),
    "mail_bounced": (
        "e-mail bị trả lại trên đường tới khách",
        "Hỏi lại địa chỉ của khách, hoặc liên hệ cách khác",
    ),
    "phone_not_set": (
        "trang chưa được cài đặt để nhắn SMS và gọi điện",
        "Nhờ quản trị viên cài đặt tổng đài cho trang rồi thử lại",
    ),
    "phone_number": ("nhà mạng không tới được số này", "Hỏi lại số điện thoại của khách"),
    "phone_refused": ("tổng đài từ chối yêu cầu này", "Sửa nội dung rồi thử lại, hoặc báo quản trị viên"),
    "phone_later": ("tổng đài hẹn làm sau", "Chờ; sẽ tự thử lại"),
    "phone_login": ("tổng đài không nhận tài khoản của trang", "Báo quản trị viên"),
    "phone_balance": ("tài khoản tổng đài hết tiền", "Báo quản trị viên nạp thêm"),
    "phone_down": ("không kết nối được tới tổng đài", "Chờ; sẽ tự thử lại. Nếu đã thôi thì thử lại sau"),
    "phone_limit": ("đã nhắn và gọi quá nhiều trong một giờ", "Chờ rồi thử lại, hoặc báo quản trị viên"),
    "phone_late": ("yêu cầu đã chờ quá lâu nên không thực hiện nữa", "Gửi hoặc gọi lại nếu vẫn cần"),
    "sms_undelivered": ("máy của khách không nhận được SMS", "Gọi cho khách, hoặc liên hệ cách khác"),
    "call_agent": ("máy của bạn không có người nghe", "Kiểm tra số của bạn rồi gọi lại"),
    "call_no_answer": ("khách không nghe máy", "Gọi lại sau, hoặc nhắn SMS"),
    "call_busy": ("khách bận máy hoặc từ chối cuộc gọi", "Gọi lại sau, hoặc nhắn SMS"),
    "call_failed": ("không kết nối được cuộc gọi", "Gọi lại sau, hoặc báo quản trị viên"),
    "erased": ("dữ liệu của khách đã được xoá theo yêu cầu", "Chỉ nhắn lại khi khách liên hệ trước"),
}
_EN: dict[DeliveryReason, tuple[str, str]] = {
    "window_closed": (
        "the customer last wrote too long ago, and the channel takes no more answers",
        "Wait until the customer writes again, or call",
    ),
    "window_paid": (
        "48 hours are over: Zalo would charge for it, and the page does not pay",
        "Ask a page admin to allow paying, or wait until the customer writes again",
    ),
    "too_long": ("it is longer than the channel takes", "Send it in shorter parts"),
    "unsupported": ("the channel takes no such attachment", "Send a picture or a link"),
    "files_not_set": (
        "we are not set up for the channel to fetch files",
        "Ask an operator to set the public address of files, then send it again",
    ),
    "unreachable": (
        "the customer has blocked the page, left it, or closed the account",
        "Reach the customer in another way",
    ),
    "rejected": ("the channel has refused it", "Change it and send it again"),
    "other_app": (
        "a bot or another app has the conversation on its channel",
        "Wait until it hands it over, or have a page admin take it back",
    ),
    "policy": ("it is against the channel's policy", "Change it and send it again"),
    "billing": (
        "the channel account has no quota or money left",
        "Tell a page admin; it is sent by itself once that is mended",
    ),
    "attachment_gone": ("the attachment can no longer be had", "Attach it again"),
    "not_connected": (
        "the page is not connected for sending",
        "Ask a page admin to connect it; it is sent by itself then",
    ),
    "token_broken": (
        "the page's connection is not valid any more",
        "Ask a page admin to connect it again; it is sent by itself then",
    ),
    "permission_missing": (
        "the page's connection does not allow sending",
        "Ask a page admin to grant it again; it is sent by itself then",
    ),
    "page_blocked": ("the channel has blocked the page", "Ask a page admin to settle it with the channel"),
    "page_restricted": ("the channel has restricted the page for a time", "Wait: it is sent by itself"),
    "rate_limited": ("too much is being sent at once", "Wait: it is sent by itself"),
    "channel_down": (
        "the channel is out of order",
        "What waits is sent by itself; what has failed is to be sent again later",
    ),
    "no_answer": (
        "no answer came, so nobody knows whether the customer has it",
        "Look whether it is there before sending it again, or the customer may get it twice",
    ),
    "too_many": ("too many answers wait in this conversation", "Wait for them, then send it again"),
    "mail_not_set": (
        "the page is not set up for e-mail",
        "Ask an operator to set it up, then send it again",
    ),
    "mail_address": ("the mail server refuses this address", "Ask the customer for the address again"),
    "mail_refused": (
        "the mail server refuses this e-mail",
        "Change it and send it again, or tell an operator",
    ),
    "mail_too_large": (
        "the mail server takes no e-mail that is so large",
        "Send fewer files, or smaller ones",
    ),
    "mail_later": ("the mail server wants it again later", "Wait: it is sent by itself"),
    "mail_login": ("the mail server refuses the page's login", "Tell an operator; it is sent by itself then"),
    "mail_down": ("the mail server cannot be reached safely", "Wait: it is sent by itself"),
    "mail_bounced": (
        "the e-mail came back on its way",
        "Ask the customer for another address, or reach him in another way",
    ),
    "phone_not_set": (
        "the page is not set up for SMS and calls",
        "Ask an operator to set it up, then try again",
    ),
    "phone_number": (
        "the phone provider does not reach this number",
        "Ask the customer for his number again",
    ),
    "phone_refused": (
        "the phone provider refuses it",
        "Change it and try again, or tell an operator",
    ),
    "phone_later": ("the phone provider wants it again later", "Wait: it is tried again by itself"),
    "phone_login": ("the phone provider refuses the page's account", "Tell an operator"),
    "phone_balance": ("the account at the phone provider has no money left", "Tell an operator"),
    "phone_down": (
        "the phone provider cannot be reached",
        "What waits is tried again by itself; what has failed is to be tried later",
    ),
    "phone_limit": ("too many SMS and calls within the hour", "Wait and try again, or tell an operator"),
    "phone_late": ("it has waited for too long", "Send it, or call, again if that is still wanted"),
    "sms_undelivered": ("the customer's phone has not taken it", "Call, or reach him in another way"),
    "call_agent": ("your own phone was not answered", "Check your number, then call again"),
    "call_no_answer": ("the customer has not answered", "Call again later, or send an SMS"),
    "call_busy": ("the customer was talking, or has declined", "Call again later, or send an SMS"),
    "call_failed": ("the call could not be made", "Call again later, or tell an operator"),
    "erased": ("the customer's data were erased on request", "Write again only after the customer has"),
}
_REASONS = {"vi": _VI, "en": _EN}


def word_delivery(state: DeliveryState, reason: DeliveryReason | None, language: LanguageCode) -> Told:
    """`Không gửi được: kênh từ chối tin này`, and what to do. A reason of a later version is left out."""
    is_call = state == "failed" and reason is not None and reason.startswith("call_")
    text = _STATES[language].get("not_called" if is_call else state, state)
    if reason is None or reason not in get_args(DeliveryReason):
        return Told(text, "")
    why, advice = _REASONS[language][reason]
    return Told(f"{text}: {why}", advice)
