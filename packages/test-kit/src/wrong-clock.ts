/**
 * Everything by which a Node process tells the time of day, moved: `Date`, and the `Date` header of its answers.
 * SIGUSR2 makes it jump, and SIGUSR2 again puts it right. Timers and `performance` go on, as they do in a process
 * whose machine's clock is set.
 */
const source = (milliseconds: number): string => `
  import { ServerResponse } from "node:http";
  let moved = 0;
  process.on("SIGUSR2", () => { moved = moved === 0 ? ${milliseconds} : 0; });
  const Right = Date;
  globalThis.Date = class Date extends Right {
    constructor(...given) { if (given.length === 0) super(Date.now()); else super(...given); }
    static now() { return Right.now() + moved; }
  };
  const { writeHead } = ServerResponse.prototype;
  ServerResponse.prototype.writeHead = function (...given) {
    if (!this.hasHeader("date")) this.setHeader("date", new globalThis.Date().toUTCString());
    return writeHead.apply(this, given);
  };`;

/** @returns the variable of a process whose clock jumps by so many milliseconds */
export const jumpingClock = (milliseconds: number): { NODE_OPTIONS: string } => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source(milliseconds))}`,
});

export const jump = (pid: number): void => {
  process.kill(pid, "SIGUSR2");
};
