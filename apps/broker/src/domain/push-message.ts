import {
  declarativePush,
  type PushMessage,
  pushTag,
  sha256Text,
  utf8,
  visible,
} from "@countersign/shared";
import { limits } from "./limits.js";

/** What a push says and how it is to travel. */
export interface OutgoingPush {
  message: PushMessage;
  ttlSeconds: number;
  urgency: "high" | "normal";
  /** A push service that still holds one of the same topic replaces it (RFC 8030 section 5.4). */
  topic: string;
}

/** The first 32 characters are all that RFC 8030 allows; hashed, so that the push service learns no id. */
const topicOf = (tag: string): string => sha256Text(utf8(`push ${tag}`)).slice(0, 32);

const requestPage = (origin: string, rid: string): string =>
  `${origin}/requests/${encodeURIComponent(rid)}`;

interface About {
  origin: string;
  rid: string;
  agentName: string;
  secondsLeft: number;
}

/** Somebody is asked. Which agent and how long it can wait: all else is for the review screen. */
export function askingPush({ origin, rid, agentName, secondsLeft }: About): OutgoingPush {
  const tag = pushTag(rid);
  return {
    message: message({
      title: `${visible(agentName)} asks for your approval`,
      body: `Open it to look. ${timeLeft(secondsLeft)} left.`,
      navigate: requestPage(origin, rid),
      tag,
      silent: false,
    }),
    ttlSeconds: secondsLeft,
    urgency: "high",
    topic: topicOf(tag),
  };
}

/**
 * It was answered elsewhere. Visible, in the place of the first: iOS takes the subscription away from whoever
 * pushes without showing something.
 */
export function answeredPush({ origin, rid, agentName, secondsLeft }: About): OutgoingPush {
  const tag = pushTag(rid);
  return {
    message: message({
      title: `${visible(agentName)}: answered elsewhere`,
      body: "Nothing is left to do.",
      navigate: requestPage(origin, rid),
      tag,
      silent: true,
    }),
    ttlSeconds: secondsLeft,
    urgency: "normal",
    topic: topicOf(tag),
  };
}

/** Somebody used a recovery code: whoever still has a phone of the account is to see it in time. */
export const recoveryPush = (origin: string): OutgoingPush => ({
  message: message({
    title: "Somebody is recovering your account",
    body: "A recovery code was used. Open it to look, or to stop it.",
    navigate: `${origin}/recovery`,
    tag: "recovery",
    silent: false,
  }),
  ttlSeconds: limits.recoveryWaitSeconds,
  urgency: "high",
  topic: topicOf("recovery"),
});

const testTtlSeconds = 60;

/** A real push whose arrival the service worker confirms by the token. */
export const testPush = (origin: string, receipt: string): OutgoingPush => ({
  message: {
    mutable: true,
    ...message({
      title: "Test alert",
      body: "Alerts reach this device.",
      navigate: `${origin}/you`,
      tag: "test",
      silent: false,
      data: { receipt },
    }),
  },
  ttlSeconds: testTtlSeconds,
  urgency: "high",
  topic: topicOf("test"),
});

const message = (notification: Omit<PushMessage["notification"], "lang">): PushMessage => ({
  web_push: declarativePush,
  notification: { ...notification, lang: "en" },
});

const timeLeft = (seconds: number): string =>
  seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
