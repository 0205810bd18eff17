import type { Row } from "./row.js";
import { assertion } from "./rows/assertion.js";
import { context } from "./rows/context.js";
import { cycles } from "./rows/cycles.js";
import { evidence } from "./rows/evidence.js";
import { gate } from "./rows/gate.js";
import { load } from "./rows/load.js";
import { notify } from "./rows/notify.js";
import { processes } from "./rows/processes.js";
import { sizes } from "./rows/sizes.js";
import { start } from "./rows/start.js";
import { streams } from "./rows/streams.js";
import { wakeup } from "./rows/wakeup.js";
import { web } from "./rows/web.js";

/** In the order of the table. */
export const rows: readonly Row[] = [
  cycles,
  load,
  processes,
  wakeup,
  notify,
  streams,
  assertion,
  context,
  evidence,
  gate,
  start,
  web,
  sizes,
];
