"""Pure decisions: who enters a campaign, what their journey does next, what a coupon is worth."""
