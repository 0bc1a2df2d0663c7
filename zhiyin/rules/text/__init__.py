"""Rules as people write them: `orders.count >= 3 and last(purchase.completed) older than 90d`."""
