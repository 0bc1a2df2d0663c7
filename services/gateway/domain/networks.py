"""Where a request came from, as coarsely as is of use: whose address it is does not matter."""

import ipaddress
from typing import Final

UNKNOWN: Final = "unknown"


def network_of(host: str | None) -> str:
    """`203.0.113.0/24` or `2001:db8:1:2::/64` of an address; `unknown` for anything else."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return UNKNOWN
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    width = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network(f"{address}/{width}", strict=False))
