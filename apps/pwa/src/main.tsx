import "./arrival.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/lists.css";
import "./styles/review.css";
import { render } from "preact";
import { App } from "./app.js";
import { registerServiceWorker } from "./service-worker.js";
import { refreshSession } from "./session.js";

const root = document.getElementById("app");
if (root) render(<App />, root);
void refreshSession();
registerServiceWorker();
