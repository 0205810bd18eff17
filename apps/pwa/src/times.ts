/** "4:05", or "0:00" once the time is up. */
export function countdown(seconds: number): string {
  const left = Math.max(0, seconds);
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** "12 s", "3 min", "2 h", "5 d": an age at a glance. */
export function age(seconds: number): string {
  const past = Math.max(0, seconds);
  if (past < 60) return `${past} s`;
  if (past < 3600) return `${Math.floor(past / 60)} min`;
  if (past < 86_400) return `${Math.floor(past / 3600)} h`;
  return `${Math.floor(past / 86_400)} d`;
}

/** Date and time of a NumericDate as this person reads them. Never part of what is signed. */
export const localTime = (numericDate: number): string =>
  new Date(numericDate * 1000).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });

export const localDate = (numericDate: number): string =>
  new Date(numericDate * 1000).toLocaleDateString(undefined, { dateStyle: "medium" });
