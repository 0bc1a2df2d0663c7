"""What the API says of itself at the top of its reference."""

from typing import Final

ABOUT: Final = (
    "Post events, read profiles, define segments and campaigns. Errors are RFC 9457 problems. "
    "Times are RFC 3339 with offset, money is decimal text. Bodies are JSON, best sent as "
    "`Content-Type: application/json`; none, `text/plain` and curl's default are taken too.\n\n"
    "Phone and email in `customer` are kept encrypted and replaced by tokens before anything else "
    "happens. Elsewhere in an event, values that look like a phone number, email address or "
    "identity number are masked, except in references (`*_id`, `*_no`, `sku`, `code`); attributes "
    "named as such (`phone`, `email`, `id_card`, …) are refused with `personal_attribute`."
)
