// HOST KEY USER
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { tell } from "./story.mjs";

const [dataPlaneUrl, key, userId] = process.argv.slice(2);
const analytics = new RudderAnalytics(key, { dataPlaneUrl, retryCount: 10, logLevel: "error" });
tell(analytics, userId);
await analytics.flush();
