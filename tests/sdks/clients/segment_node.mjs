// HOST KEY USER
import { Analytics } from "@segment/analytics-node";
import { tell } from "./story.mjs";

const [host, writeKey, userId] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, maxRetries: 10 });
analytics.on("error", (error) => console.error("lost", error));
tell(analytics, userId);
await analytics.closeAndFlush({ timeout: 280_000 });
