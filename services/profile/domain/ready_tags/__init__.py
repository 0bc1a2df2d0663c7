"""Tags ready to be installed: the customer groups, needs and words a consumer brand asks about."""

from typing import Final

from services.profile.domain.ready_tags.customer_groups import CUSTOMER_GROUPS
from services.profile.domain.ready_tags.needs import NEEDS
from services.profile.domain.ready_tags.ready import Ready
from services.profile.domain.ready_tags.words import WORDS

LIBRARY: Final[tuple[Ready, ...]] = (*CUSTOMER_GROUPS, *NEEDS, *WORDS)
