/** What stops the library from doing its work at all. A person's answer is never one of these: it is a value. */
const titles = {
  invalid_options: "The options are not usable.",
  home_unsafe:
    "Other users of this machine can read the agent's files. Make them private (chmod 700, 600).",
  home_corrupt: "A file of the agent's home directory is damaged. Nothing is approved by it.",
  wrong_broker: "This home directory belongs to another broker. Use one home for each broker.",
  not_paired:
    "Not paired with this agent. `countersign unpair` lists who is, `countersign pair` adds an approver.",
  unknown_request: "This home directory holds no such request.",
  not_approved: "There is no verified approval of this request in this process.",
  not_claimed:
    "Nothing was executed for this request by this process, so there is no outcome to report.",
  not_unknown: "The outcome of this request is not unknown: there is nothing to settle.",
  nothing_to_undo: "Nothing that this request did can be taken back by the library.",
  changed_since: "What it changed was changed again since: taking it back would take that with it.",
  undo_failed: "It could not be taken back. Everything is as it was before the attempt.",
  already_asked: "A request with this id exists already.",
  pairing_failed: "The pairing failed. Start again.",
  pairing_expired: "The pairing took longer than ten minutes. Start again.",
  pairing_canceled: "The pairing was ended.",
  digits_wrong: "The digits were wrong three times. Start again.",
  keys_changed:
    "This approver is paired with other keys. If that is right, run `countersign unpair` for it first.",
  keys_shared: "These keys are pinned for another approver.",
  log_changed:
    "The broker's log has another key than the one that is pinned. If that is right, run `countersign unpair` for every approver first.",
  gate_closed: "The gate is closed. Make another one.",
  table_invalid: "The table of cases cannot be read.",
  policy_invalid: "The policy cannot be used; nothing is decided by it.",
  unreachable: "The broker could not be reached or did not answer as it should.",
} as const;

export type ClientErrorCode = keyof typeof titles;

/** The code is the API, the message is for people; `detail` names what it is about and holds no secret. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  readonly detail: string | undefined;

  constructor(code: ClientErrorCode, options?: { cause?: unknown; detail?: string | undefined }) {
    super(options?.detail ? `${titles[code]} (${options.detail})` : titles[code], {
      cause: options?.cause,
    });
    this.code = code;
    this.detail = options?.detail;
  }
}
