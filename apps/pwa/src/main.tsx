import "./arrival.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/lists.css";
import "./styles/review.css";
import "./styles/onboarding.css";
import "./styles/recovery.css";
import "./styles/narrow.css";
import "./styles/forced-colors.css";
import { render } from "preact";
import { App } from "./app.js";
import { watchInstall } from "./onboarding/install.js";
import { registerServiceWorker } from "./service-worker.js";
import { refreshSession } from "./session.js";
import { keepFocusInSight } from "./ui/focus-in-sight.js";

const root = document.getElementById("app");
if (root) render(<App />, root);
void refreshSession();
// Without a service worker the app works all the same, as long as there is a network.
registerServiceWorker().catch(() => undefined);
watchInstall();
keepFocusInSight();
