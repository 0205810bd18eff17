export { egressBlocked, publicLookup, type Resolve, refusal } from "./lookup.js";
export { isPublicAddress } from "./public-address.js";
export { isPublicHost } from "./public-host.js";
