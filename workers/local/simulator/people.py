"""Invented people, and what they write to a flower shop. All is made up; the phone numbers are nobody's."""

from __future__ import annotations

from random import Random

FAMILY_NAMES = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Lý",
]
WOMEN = [
    "Thị Lan",
    "Ngọc Mai",
    "Thu Hà",
    "Thanh Trúc",
    "Mỹ Linh",
    "Bích Ngọc",
    "Khánh Vy",
    "Hồng Nhung",
    "Phương Anh",
    "Diệu Hiền",
]
MEN = [
    "Văn Hùng",
    "Minh Tuấn",
    "Quốc Bảo",
    "Đức Anh",
    "Hữu Nghĩa",
    "Thanh Sơn",
    "Gia Huy",
    "Anh Khoa",
    "Trung Kiên",
    "Hoàng Long",
]

FLOWERS = (
    "bó hồng đỏ",
    "giỏ hướng dương",
    "lẵng hoa khai trương",
    "hoa cưới cầm tay",
    "chậu lan hồ điệp",
    "bó cúc tana",
    "hộp hoa sinh nhật",
    "kệ hoa chia buồn",
)
STREETS = [
    "Lê Lợi",
    "Nguyễn Huệ",
    "Hai Bà Trưng",
    "Trần Phú",
    "Lý Thường Kiệt",
    "Điện Biên Phủ",
    "Nguyễn Trãi",
    "Cách Mạng Tháng 8",
]
DAYS = ("hôm nay", "chiều nay", "sáng mai", "thứ bảy này", "ngày 20 tháng 11", "cuối tuần")

OPENINGS = (
    "Shop ơi, {flower} còn không ạ?",
    "Chào shop, mình muốn hỏi giá {flower}",
    "Alo shop ơi tư vấn giúp em với",
    "Cho mình xin bảng giá {flower} nhé 🌸",
    "Shop có giao {day} không ạ?",
    "Em xem trên trang thấy {flower} đẹp quá, giá sao ạ?",
)
QUESTIONS = (
    "Có mẫu nào tầm {price}k không shop?",
    "Giao tới đường {street} thì phí ship bao nhiêu ạ?",
    "{day} đặt có kịp không shop?",
    "Cho em xem hình thật với ạ",
    "Đổi sang màu trắng được không ạ?",
    "Có viết thiệp kèm theo không shop?",
    "Mua 2 có giảm giá không ạ 😄",
    "Hoa giữ được mấy ngày vậy shop?",
)
ORDERS = (
    "Vậy cho mình đặt 1 {flower}, giao {day} nhé",
    "Tên {name}, sđt 0900 000 {phone:03}, số {house} đường {street}",
    "Mình chuyển khoản rồi, shop kiểm tra giúp",
    "Thiệp ghi giúp em: Chúc mừng sinh nhật",
)
CLOSINGS = (
    "Cảm ơn shop nhiều ạ",
    "Dạ vâng ạ",
    "Ok shop",
    "Nhận được hoa rồi, đẹp lắm ạ ❤️",
    "Để mình hỏi lại đã nhé",
)

_STAGES = (OPENINGS, QUESTIONS, QUESTIONS, QUESTIONS, ORDERS, ORDERS, CLOSINGS)


def invent_name(random: Random) -> str:
    """A Vietnamese name: family, middle and given."""
    return f"{random.choice(FAMILY_NAMES)} {random.choice(random.choice((WOMEN, MEN)))}"


def invent_text(random: Random, name: str, number: int) -> str:
    """What `name` writes as message `number` (from 0) of a talk: greeting, questions, order, thanks."""
    stage = _STAGES[number] if number < len(_STAGES) else random.choice((QUESTIONS, CLOSINGS))
    return random.choice(stage).format(
        name=name,
        flower=random.choice(FLOWERS),
        street=random.choice(STREETS),
        day=random.choice(DAYS),
        price=random.randrange(20, 150) * 10,
        phone=random.randrange(1_000),
        house=random.randrange(1, 400),
    )
