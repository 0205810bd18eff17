import type { Word } from "@countersign/shared";

/** What a wrapper makes of the words after it: the program that it runs, or nothing that can be told. */
export type Unwrapped =
  | { kind: "inner"; words: readonly Word[]; addsWords: boolean }
  | { kind: "nothing" }
  | { kind: "unreadable" };

interface Wrapper {
  /** Options without a value, with one, and words before the program. */
  flags: RegExp;
  values: RegExp;
  operands: number;
  assignments?: boolean;
  /** Puts words of its own behind the program's. */
  addsWords?: boolean;
}

const none = /^$/;
const wrappers: Record<string, Wrapper> = {
  nohup: { flags: none, values: none, operands: 0 },
  nice: {
    flags: /^(-\d+|-n-?\d+|--adjustment=-?\d+)$/,
    values: /^(-n|--adjustment)$/,
    operands: 0,
  },
  ionice: { flags: /^-(c\d|n\d|t)$/, values: /^-[cn]$/, operands: 0 },
  time: { flags: /^-[pv]$/, values: none, operands: 0 },
  timeout: {
    flags: /^(--preserve-status|--foreground|-v|--signal=\w+|--kill-after=[\d.]+[smhd]?)$/,
    values: /^(-s|-k)$/,
    operands: 1,
  },
  stdbuf: { flags: /^-[ioe]\w+$/, values: /^-[ioe]$/, operands: 0 },
  setsid: { flags: /^(-w|-f|--wait|--fork)$/, values: none, operands: 0 },
  command: { flags: /^-p$/, values: none, operands: 0 },
  builtin: { flags: none, values: none, operands: 0 },
  busybox: { flags: none, values: none, operands: 0 },
  toybox: { flags: none, values: none, operands: 0 },
  env: {
    flags: /^(-i|--ignore-environment|-|-0)$/,
    values: /^(-u|--unset)$/,
    operands: 0,
    assignments: true,
  },
  xargs: {
    flags:
      /^(-0|-r|-t|-x|--null|--no-run-if-empty|--verbose|-[nPLsI]\S+|--max-(args|procs)=\d+|-d.+)$/,
    values: /^-[nPLsId]$/,
    operands: 0,
    addsWords: true,
  },
};

export const isWrapper = (name: string): boolean => Object.hasOwn(wrappers, name);

/** @param assigned gets what `env` sets */
export function unwrap(
  name: string,
  rest: readonly Word[],
  assigned: (text: string) => void,
): Unwrapped {
  const wrapper = wrappers[name] as Wrapper;
  let { operands } = wrapper;
  for (let at = 0; at < rest.length; at++) {
    const { value } = rest[at] as Word;
    if (value === undefined) return { kind: "unreadable" };
    if (value === "--") continue;
    if (wrapper.assignments && /^\w+=/.test(value)) assigned(value);
    else if (wrapper.values.test(value)) at += 1;
    else if (wrapper.flags.test(value)) continue;
    else if (value.startsWith("-") && value !== "-") return { kind: "unreadable" };
    else if (operands > 0) operands -= 1;
    else {
      return { kind: "inner", words: rest.slice(at), addsWords: wrapper.addsWords === true };
    }
  }
  return { kind: "nothing" };
}
