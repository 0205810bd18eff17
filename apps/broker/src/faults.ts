// Points at which a test ends the process, by name: before and after each statement that changes something for good.
// A build of their own contains them (tsdown.faults.config.ts); a release contains nothing of this file.

/** Set by the build. */
declare const __FAULTS__: boolean | undefined;

export const faultsAreBuiltIn = typeof __FAULTS__ !== "undefined" && __FAULTS__;

let armed: string | undefined;

/** @param name `approve:before`, `approve:after`, ... */
export function armFault(name: string | undefined): void {
  armed = name;
}

/** Ends the process here, as the kernel would, if this is the armed point. Nothing after it runs. */
export function faultPoint(name: string): Promise<void> {
  if (name !== armed) return Promise.resolve();
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}
