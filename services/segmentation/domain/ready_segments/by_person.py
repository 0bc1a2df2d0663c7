"""Personas of the four lines of business, strata of health needs, situations in life."""

from typing import Final

from services.segmentation.domain.ready_segments.entry import Ready
from zhiyin.rules.words.language import Words

PERSONA: Final = (
    Ready(
        "persona-wellness",
        "persona",
        Words("滋补养生族", "Wellness keepers"),
        Words(
            "一年内至少三次购买滋补、保健类商品。",
            "Bought tonics or health food three times or more within a year.",
        ),
        "count(purchase.completed where category in (阿胶糕, 滋补, 保健品, 维生素, vitamins) "
        "within 365d) >= 3",
    ),
    Ready(
        "persona-snack-lover",
        "persona",
        Words("零食爱好者", "Snack lovers"),
        Words(
            "90 天内至少三次购买零食、坚果、果干。",
            "Bought snacks, nuts or dried fruit three times or more within 90 days.",
        ),
        "count(purchase.completed where category in (零食, 坚果, 果干, 糕点, snacks, nuts) within "
        "90d) >= 3",
    ),
    Ready(
        "persona-beauty",
        "persona",
        Words("美妆护肤达人", "Beauty enthusiasts"),
        Words(
            "180 天内至少两次购买美妆护肤，或 30 天内浏览至少五次。",
            "Bought beauty or skin care twice or more within 180 days, or looked at it five times "
            "within 30.",
        ),
        "count(purchase.completed where category in (护肤, 美妆, 彩妆, beauty) within 180d) >= 2 "
        "or count(browse.viewed where category in (护肤, 美妆, 彩妆, beauty) within 30d) >= 5",
    ),
    Ready(
        "persona-new-retail",
        "persona",
        Words("新零售常客", "New-retail regulars"),
        Words(
            "180 天内线上线下都买过，合计至少四单。",
            "Bought both online and in a store within 180 days, four times or more in all.",
        ),
        "count(purchase.completed where channel = online within 180d) >= 1 and "
        "count(purchase.completed where channel = store within 180d) >= 1 and "
        "count(purchase.completed within 180d) >= 4",
    ),
)
# Facts about health are used only of those who have agreed to it.
HEALTH: Final = (
    Ready(
        "health-maintenance",
        "health",
        Words("健康需求：日常养护", "Health need: maintenance"),
        Words(
            "已同意使用健康信息，需求为日常养护。",
            "Agreed to the use of health facts; the need is maintenance.",
        ),
        "consents.health = true and attributes.health.need in (maintenance, 养护, 保健)",
    ),
    Ready(
        "health-prevention",
        "health",
        Words("健康需求：预防改善", "Health need: prevention"),
        Words(
            "已同意使用健康信息，需求为预防与改善。",
            "Agreed to the use of health facts; the need is prevention.",
        ),
        "consents.health = true and attributes.health.need in (prevention, 预防, 改善)",
    ),
    Ready(
        "health-treatment",
        "health",
        Words("健康需求：调理恢复", "Health need: treatment"),
        Words(
            "已同意使用健康信息，需求为调理与恢复；不作功效承诺。",
            "Agreed to the use of health facts; the need is treatment. Promise no effect.",
        ),
        "consents.health = true and attributes.health.need in (treatment, 调理, 恢复)",
    ),
    Ready(
        "health-low-sugar",
        "health",
        Words("控糖饮食", "Low-sugar diet"),
        Words(
            "已同意使用健康信息，饮食要求为控糖或无糖。",
            "Agreed to the use of health facts; eats little or no sugar.",
        ),
        "consents.health = true and attributes.health.diet any of (low_sugar, sugar_free, 控糖, "
        "无糖)",
    ),
)
SCENARIO: Final = (
    Ready(
        "expecting-mothers",
        "scenario",
        Words("孕期妈妈", "Expecting mothers"),
        Words(
            "预产期在未来，或刚过不满 14 天。",
            "The due date is ahead, or passed at most 14 days ago.",
        ),
        "attributes.due_date newer than 14d",
    ),
    Ready(
        "new-mothers",
        "scenario",
        Words("新手妈妈", "New mothers"),
        Words("宝宝不满一岁。", "The baby is younger than a year."),
        "attributes.child_birthday older than 1s and attributes.child_birthday newer than 365d",
    ),
    Ready(
        "toddler-parents",
        "scenario",
        Words("幼儿家长", "Parents of toddlers"),
        Words("孩子一至三岁。", "The child is one to three years old."),
        "attributes.child_birthday older than 365d and attributes.child_birthday newer than 1095d",
    ),
    Ready(
        "office-newcomers",
        "scenario",
        Words("职场新人", "Office newcomers"),
        Words(
            "22 至 27 岁，或入职不满两年。", "Aged 22 to 27, or at work for less than two years."
        ),
        "attributes.birthday older than 8035d and attributes.birthday newer than 9861d or "
        "attributes.first_job_at older than 1s and attributes.first_job_at newer than 730d",
    ),
    Ready(
        "students",
        "scenario",
        Words("学生", "Students"),
        Words("职业为学生。", "Students by occupation."),
        "attributes.occupation in (student, 学生, 大学生)",
    ),
    Ready(
        "silver-age",
        "scenario",
        Words("银发族", "Silver age"),
        Words("年满 60 岁（按 21,915 天计）。", "Sixty years or older (21,915 days)."),
        "attributes.birthday older than 21915d",
    ),
    Ready(
        "fitness-fans",
        "scenario",
        Words("健身人群", "Fitness fans"),
        Words(
            "30 天内浏览健身内容或商品至少三次，或已有健身标签。",
            "Looked at fitness gear three times within 30 days, or has such a tag.",
        ),
        "count(browse.viewed where category in (健身, 瑜伽, fitness) within 30d) >= 3 or tags any "
        "of (fitness-fan, fitness-deep)",
    ),
    Ready(
        "gift-givers",
        "scenario",
        Words("送礼人群", "Gift givers"),
        Words("365 天内至少两单为送礼。", "Two gift orders or more within 365 days."),
        "count(purchase.completed where gift = true within 365d) >= 2",
    ),
    Ready(
        "birthday-soon",
        "scenario",
        Words("生日将至", "Birthday soon"),
        Words("生日就是今天或在 7 天内。", "The birthday is today or within 7 days."),
        "anniversary(attributes.birthday) within 7d",
    ),
    Ready(
        "first-order-anniversary",
        "scenario",
        Words("首单周年", "First-order anniversary"),
        Words(
            "首单周年日就是今天或在 7 天内（首单已满 300 天）。",
            "The first order's day comes round within 7 days (300 days or more after it).",
        ),
        "orders.first_at older than 300d and anniversary(orders.first_at) within 7d",
    ),
)
