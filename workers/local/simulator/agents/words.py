"""What agents write: answers to customers of a flower shop, notes to colleagues, tickets. All is made up."""

from __future__ import annotations

from random import Random

ANSWERS = (
    "Dạ shop chào anh chị ạ 🌸",
    "Dạ mẫu này còn ạ, giá {price}k, mình lấy mấy bó ạ?",
    "Dạ giao trong ngày được ạ, phí ship {fee}k",
    "Anh chị cho shop xin tên, số điện thoại và địa chỉ nhé",
    "Dạ shop gửi hình thật ngay ạ",
    "Dạ shop đã nhận được chuyển khoản, cảm ơn anh chị ạ",
    "Dạ shop viết thiệp kèm theo miễn phí ạ",
)
NOTES = (
    "Khách quen, ưu tiên giao sớm",
    "Khách hỏi giá nhiều lần, chưa chốt",
    "Nhờ {colleague} kiểm tra kho giúp",
    "Đã gọi, khách hẹn chiều gọi lại",
)
SUBJECTS = ("Giao lại bó hoa", "Đổi mẫu", "Xin hoá đơn", "Hoa bị dập khi giao")


def invent_answer(random: Random) -> str:
    """Something that fits most questions."""
    return random.choice(ANSWERS).format(
        price=random.randrange(20, 150) * 10, fee=random.randrange(2, 8) * 10
    )


def invent_note(random: Random, colleague: str) -> str:
    """Something for colleagues; `colleague` may be named in it."""
    return random.choice(NOTES).format(colleague=colleague)


def invent_subject(random: Random) -> str:
    """Of a ticket."""
    return random.choice(SUBJECTS)
