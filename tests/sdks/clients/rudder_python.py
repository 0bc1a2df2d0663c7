"""HOST KEY USER: what a shop's server says through rudder-sdk-python."""

import sys

import rudderstack.analytics as analytics
from story import say

host, key, user = sys.argv[1:]
analytics.dataPlaneUrl = host
say(analytics, key, user)
