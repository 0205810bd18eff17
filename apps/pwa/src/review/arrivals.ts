import * as z from "zod/mini";

const key = "countersign.arrivals";
const kept = 200;

const arrivals = z.array(
  z.strictObject({ rid: z.string(), agent: z.string(), at: z.int(), wrongPicks: z.int() }),
);
/** A request that this phone opened, verified. The phone remembers these by itself: no server can talk them away. */
export type Arrival = z.infer<typeof arrivals>[number];

export function readArrivals(): Arrival[] {
  try {
    return arrivals.parse(JSON.parse(localStorage.getItem(key) ?? "[]"));
  } catch {
    // Unreadable is as good as none: then every agent is a new one, and the code is asked for.
    return [];
  }
}

/** @param at NumericDate: when the agent asked, by its own signed word */
export function noteArrival(arrival: { rid: string; agent: string; at: number }): void {
  const known = readArrivals();
  if (known.some(({ rid }) => rid === arrival.rid)) return;
  write([...known, { ...arrival, wrongPicks: 0 }]);
}

/** @returns how many wrong codes were picked for this request, this one included: a reload forgets none */
export function noteWrongPick(rid: string): number {
  const noted = readArrivals().map((arrival) =>
    arrival.rid === rid ? { ...arrival, wrongPicks: arrival.wrongPicks + 1 } : arrival,
  );
  write(noted);
  return noted.find((arrival) => arrival.rid === rid)?.wrongPicks ?? 1;
}

const write = (list: Arrival[]): void =>
  localStorage.setItem(key, JSON.stringify(list.slice(-kept)));
