"""Tags ready to be installed: the customer groups, needs and words a consumer brand asks about."""

from typing import Final

from services.profile.domain.library.customer_groups import CUSTOMER_GROUPS
from services.profile.domain.library.needs import NEEDS
from services.profile.domain.library.ready import Ready
from services.profile.domain.library.words import WORDS

LIBRARY: Final[tuple[Ready, ...]] = (*CUSTOMER_GROUPS, *NEEDS, *WORDS)
