/** The parts of Cedar that the gate uses. Loaded when the first gate is made: it is 4 MB that `createClient` needs not. */
export type Cedar = typeof import("@cedar-policy/cedar-wasm/nodejs");

let loading: Promise<Cedar> | undefined;

export function loadCedar(): Promise<Cedar> {
  loading ??= import("@cedar-policy/cedar-wasm/nodejs");
  return loading;
}
