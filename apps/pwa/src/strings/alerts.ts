import type { PushOutcome } from "@countersign/shared";

/** Push notifications, and what may keep them away. */
export const alertsStrings = {
  alerts: {
    title: "Alerts",
    offText: "Get a notification when an agent asks, also while the app is closed.",
    turnOn: "Turn on alerts",
    turningOn: "Turning on",
    turnOff: "Turn off alerts",
    on: "On for this device",
    since: (date: string) => `since ${date}`,
    last: (outcome: string, time: string) => `Last push: ${outcome}, ${time}`,
    outcomes: {
      accepted: "handed over",
      gone: "the subscription had ended",
      busy: "the push service was busy",
      unreachable: "the push service could not be reached",
      refused: "the push service refused it",
      blocked: "the server does not call that address",
    } satisfies Record<PushOutcome, string>,
    impossible: {
      not_installed:
        "On an iPhone or iPad alerts come to the installed app only: tap Share, then “Add to Home Screen”, and open it from there.",
      blocked:
        "Notifications from this site are blocked. Allow them in the settings of the browser or the phone, then come back.",
      unsupported: "This browser has no push notifications. An open app still shows every request.",
    },
    failed: {
      blocked: "Notifications were not allowed. Nothing was changed.",
      no_push_service:
        "The browser's push service did not answer. Check the connection and try again.",
    },
    test: "Send a test alert",
    testing: "Waiting for the test alert",
    arrived: (seconds: number) => `The test alert arrived after ${seconds} s.`,
    lost: "The test alert was handed over, but has not arrived. Check:",
    checks: [
      "Do Not Disturb and Focus are off, or let this app through",
      "Battery saver does not stop the browser",
      "The phone has a connection; some networks block push",
    ],
    refused: {
      gone: "The push service has ended this subscription. Turn alerts on again.",
      busy: "The push service is busy. Try again in a minute.",
      unreachable:
        "The server cannot reach the push service. Its operator has to let it connect to port 443 outside.",
      refused: "The push service refused the alert. Turn alerts off and on again.",
      blocked: "The server does not call this push service's address. Ask its operator.",
    } satisfies Record<Exclude<PushOutcome, "accepted">, string>,
  },
} as const;
