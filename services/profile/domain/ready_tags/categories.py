"""Which product categories the library's rules mean. A brand that names its categories otherwise
installs a tag and changes the names in its rule."""

from typing import Final

TONIC: Final = (
    "阿胶", "阿胶糕", "燕窝", "人参", "西洋参", "枸杞", "鹿茸", "虫草", "膏方", "花胶", "滋补",
)  # fmt: skip
WELLNESS: Final = ("轻养生", "即食滋补", "养生茶", "花草茶", "代餐", "蛋白粉", "益生菌", "胶原蛋白")
FITNESS: Final = ("健身",)
FITNESS_GEAR: Final = ("瑜伽", "瑜伽垫", "健身器材", "运动装备", "蛋白粉")
GIFT: Final = ("礼盒", "礼品", "礼品卡")
HEALTH: Final = (
    "维生素", "钙片", "鱼油", "保健品", "膳食补充", "辅酶Q10", "氨糖", "护肝", "血糖管理",
)  # fmt: skip
SNACKS: Final = ("坚果", "膨化零食", "果干", "蜜饯", "糕点", "肉干", "零食", "饼干", "糖果")
BABY: Final = ("奶粉", "纸尿裤", "婴儿辅食", "母婴", "儿童营养")
PREGNANCY: Final = ("孕妇营养", "孕妇奶粉", "叶酸")
GREEN: Final = ("有机", "有机食品", "环保", "可降解", "公益")
