"""What is shown, and what is kept of free text, in place of phone, email and identity numbers."""

import re
from typing import Final

_EMAIL = re.compile(r"[^\s@,;:<>()\"'，。；：、（）《》]+@(?:[\w-]+\.)+[A-Za-z]{2,}")
_ID_CARD = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
)
_MOBILE = re.compile(r"(?<!\d)(?:(?:\+|00)?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[\s-]\d{7,8}(?!\d)")
_INTERNATIONAL = re.compile(r"\+\d(?:[\s()-]?\d){7,14}(?!\d)")
_NOT_DIGIT = re.compile(r"\D")

# The last part of an attribute's or property's name that says its value is personal.
PERSONAL_NAMES: Final = frozenset(
    {
        "phone", "phones", "phone_number", "phonenumber", "mobile", "mobile_phone", "mobilephone",
        "mobile_number", "cellphone", "cell_phone", "tel", "telephone",
        "email", "emails", "email_address", "emailaddress", "e_mail", "mail_address",
        "id_card", "idcard", "id_number", "idnumber", "id_no", "identity_card", "identity_number",
        "passport", "passport_number",
        "手机", "手机号", "手机号码", "电话", "电话号码", "联系电话",
        "邮箱", "电子邮箱", "身份证", "身份证号",
    }
)  # fmt: skip
# Attributes that hold a person's name: shown with the family name only.
NAME_ATTRIBUTES: Final = frozenset(
    {"name", "full_name", "fullname", "real_name", "realname", "姓名", "真实姓名", "收货人"}
)
# Family names of two characters; all others have one.
_COMPOUND: Final = frozenset(
    {
        "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容",
        "令狐", "长孙", "宇文", "司徒", "司空", "轩辕", "夏侯", "端木", "南宫",
        "独孤", "西门", "东郭", "百里", "呼延", "太史", "公冶", "申屠", "赫连",
        "澹台", "濮阳", "淳于", "单于", "钟离", "拓跋", "闻人", "万俟", "宗政",
    }
)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def personal_name(name: str) -> bool:
    """Whether an attribute or property of this name would hold a phone, email or ID number."""
    last = _CAMEL.sub("_", name).rpartition(".")[2].lower().replace("-", "_").replace(" ", "_")
    return last in PERSONAL_NAMES or last.endswith(("_phone", "_mobile", "_email", "_id_card"))


def shown(namespace: str, value: str) -> str:
    """The masked form of a normalised identifier: `138****1111`, `z***@example.com`."""
    return shown_email(value) if namespace == "email" else shown_phone(value)


def shown_phone(value: str) -> str:
    digits = _NOT_DIGIT.sub("", value)
    if digits.startswith("86") and len(digits) == 13:
        digits = digits[2:]
    if len(digits) < 9:
        return "*" * 4 + digits[-2:]
    return f"{digits[:3]}****{digits[-4:]}"


def shown_email(value: str) -> str:
    local, _, domain = value.partition("@")
    return f"{local[:1]}***@{domain}"


def shown_name(value: str) -> str:
    """A person's name with only the family name left: `张**`, `欧阳*`, `Smith J.` → `S***`."""
    if not value:
        return value
    if value.isascii():
        return f"{value[:1]}***"
    family = value[:2] if len(value) > 2 and value[:2] in _COMPOUND else value[0]
    return family + "*" * max(len(value) - len(family), 1)


def masked_text(text: str) -> str:
    """Free text with email addresses, identity and phone numbers masked."""
    if "@" in text:
        text = _EMAIL.sub(lambda found: shown_email(found[0]), text)
    text = _ID_CARD.sub(lambda found: f"{found[0][:3]}***********{found[0][-4:]}", text)
    text = _MOBILE.sub(lambda found: shown_phone(found[0]), text)
    text = _LANDLINE.sub(lambda found: f"{found[0][:3]}****{found[0][-2:]}", text)
    return _INTERNATIONAL.sub(lambda found: shown_phone(found[0]), text)
