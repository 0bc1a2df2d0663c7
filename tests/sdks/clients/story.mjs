// What a shop's server says of one of its members, through any library with Segment's methods.
export function tell(analytics, userId) {
  analytics.identify({ userId, traits: { email: `${userId}@example.com`, city: "杭州" } });
  analytics.track({
    userId,
    event: "Order Completed",
    properties: {
      order_id: `O-${userId}`,
      total: 259.0,
      currency: "CNY",
      products: [{ product_id: "EJ-250", category: "阿胶糕", price: 129.5, quantity: 2 }],
    },
  });
  analytics.track({ userId, event: "Product Added", properties: { sku: "EJ-250", quantity: 1 } });
  analytics.track({ userId, event: "领取 会员卡", properties: { level: "金" } });
  analytics.page({ userId, category: "内容", name: "首页", properties: { path: "/" } });
  analytics.screen({ userId, category: "App", name: "首页" });
  analytics.group({ userId, groupId: "club-1", traits: { name: "健身俱乐部" } });
  analytics.alias({ userId, previousId: `a-${userId}` });
}
