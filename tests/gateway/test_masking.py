"""Names as they are shown to whoever may not see them."""

import pytest

from services.gateway.domain.masking import shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("张小明", "张**"),
        ("欧阳修", "欧阳*"),
        ("司马相如", "司马**"),
        ("欧阳", "欧*"),  # somebody called 欧, given name 阳
        ("张", "张*"),
        ("Smith J.", "S***"),
        ("", ""),
    ],
)
def test_of_a_name_only_the_family_name_is_left(name: str, shown: str) -> None:
    assert shown_name(name) == shown
