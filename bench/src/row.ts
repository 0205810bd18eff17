import type { DatabaseServer } from "./system/server.js";

/** One line of the table. */
export interface Line {
  what: string;
  ours: string;
  /** What it is measured against in the same run, with its figure. */
  against: string;
  ratio: number;
  goal: Goal;
}

export interface Goal {
  text: string;
  isMet(ratio: number): boolean;
}

export const atLeast = (bound: number): Goal => ({
  text: `>= ${bound}x`,
  isMet: (ratio) => ratio >= bound,
});
export const atMost = (bound: number): Goal => ({
  text: `<= ${bound}x`,
  isMet: (ratio) => ratio <= bound,
});
/** Something to know, and nothing to reach. */
export const noGoal: Goal = { text: "-", isMet: () => true };

/** A row of the table all the same: what could not be measured is not passed over. */
export const failed = (name: string, error: unknown): Findings => ({
  lines: [
    {
      what: name,
      ours: "failed",
      against: (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "",
      ratio: Number.NaN,
      goal: { text: "to run", isMet: () => false },
    },
  ],
});

/** Cost against load: what the graph shows. */
export interface Curve {
  title: string;
  /** What grows, and what it costs. */
  x: string;
  y: string;
  points: { label: string; value: number }[];
}

export interface Findings {
  lines: Line[];
  curves?: Curve[];
  notes?: string[];
}

export interface Bench {
  /** A fraction of a second for each row: proves that it runs, and measures nothing. */
  smoke: boolean;
  /** The sizes that the goals name, where the everyday ones are smaller. */
  long: boolean;
  /** Of the whole run. Started when first asked for. */
  databases(): Promise<DatabaseServer>;
  progress(text: string): void;
}

export interface Row {
  name: string;
  run(bench: Bench): Promise<Findings>;
}

export const rate = (count: number, milliseconds: number): number => (count * 1000) / milliseconds;
export const perSecond = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)}/s`;
export const milliseconds = (value: number): string =>
  `${value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
export const microseconds = (value: number): string => `${value.toFixed(0)} us CPU`;
export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
export const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
