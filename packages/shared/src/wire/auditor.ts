import * as z from "zod/mini";
import { leafRecord } from "../leaf.js";
import { numericDate } from "../schema.js";

/**
 * `GET /log/records?from=<index>`, for an auditor: records in the order of the tree, with what their entries hash. Those
 * that were deleted after their time are not there. `next`, where there may be more, is the `from` to go on with.
 */
export const logRecords = z.object({
  records: z.array(z.object({ index: z.int(), at: numericDate, record: leafRecord })),
  next: z.optional(z.int()),
});
export type LogRecords = z.infer<typeof logRecords>;
