"""HOST KEY USER: what a shop's server says through segment-analytics-python."""

import sys

import segment.analytics as analytics
from story import say

host, key, user = sys.argv[1:]
analytics.host = host
say(analytics, key, user)
