import type { Tier } from "@countersign/shared";

const order = { green: 0, yellow: 1, red: 2 } as const satisfies Record<Tier, number>;

/** Tiers only rise: there is no function that lowers one. */
export const highest = (one: Tier, other: Tier): Tier => (order[other] > order[one] ? other : one);
