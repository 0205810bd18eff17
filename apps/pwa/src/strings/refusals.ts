import type { Refusal } from "../review/verify.js";

/** Why a request cannot be approved. */
export const refusalsStrings = {
  refusals: {
    device_not_enrolled: "This device is not enrolled, so it can neither open nor decide requests.",
    request_unreadable: "The request is malformed. It was not made by a proper agent.",
    agent_not_paired:
      "Not an agent of this phone: you never paired with the key behind this request.",
    request_forged: "The agent's signature is wrong. The agent did not make this request.",
    request_of_another_id: "The server handed out another request than the one you opened.",
    request_for_another_server: "The agent made this request for another server.",
    request_expired: "The time for this request has run out.",
    approver_not_named: "The agent did not name you as an approver of this request.",
    context_missing: "What would be done was not delivered.",
    context_altered: "What was delivered is not what the agent sealed.",
    context_not_sealed_for_device:
      "Not sealed for this device. It may open on another phone of yours.",
    context_of_another_request: "The sealed part belongs to another request or was altered.",
    action_altered: "The action is not the one that the agent asked for.",
    action_unreadable: "The action is malformed and cannot be shown faithfully.",
    picture_missing: "The agent announced a picture, but it is missing.",
    picture_altered: "The picture is not the one that the agent took.",
    picture_not_as_declared: "The picture's type or size is not what the agent announced.",
    renderer_unknown:
      "This app is too old, or too new, to show this request the way the agent expects.",
    view_too_large:
      "There is more in this request than a person could read or this app could show.",
    log_contradicted:
      "The server's log contradicts what this phone saw of it before. Approve nothing on this server, and show both states below to its operator.",
    log_withheld:
      "The server did not show its log, so nothing can be approved now. Open the request again.",
  } satisfies Record<Refusal, string>,
} as const;
