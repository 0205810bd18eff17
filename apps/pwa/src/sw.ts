import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
} from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { handlePushes } from "./push/worker.js";

declare const self: ServiceWorkerGlobalScope;

/** Addresses that are the broker's to answer. They are never answered from a cache. */
const brokerPaths = [
  /^\/(app|v1|log|\.well-known)\//,
  /^\/(token|bc-authorize|jwks|openapi\.json|healthz|readyz|metrics)$/,
];

cleanupOutdatedCaches();
precacheAndRoute(self.__WB_MANIFEST);
registerRoute(
  new NavigationRoute(createHandlerBoundToURL("/index.html"), { denylist: brokerPaths }),
);

self.addEventListener("message", (event) => {
  if (event.data?.type === "SKIP_WAITING") void self.skipWaiting();
});

handlePushes();
