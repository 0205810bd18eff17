import { agentsStrings } from "./strings/agents.js";
import { appStrings } from "./strings/app.js";
import { onboardingStrings } from "./strings/onboarding.js";
import { pairingStrings } from "./strings/pairing.js";
import { practiceStrings } from "./strings/practice.js";
import { refusalsStrings } from "./strings/refusals.js";
import { requestsStrings } from "./strings/requests.js";
import { resultStrings } from "./strings/result.js";
import { reviewStrings } from "./strings/review.js";
import { settingsStrings } from "./strings/settings.js";
import { signInStrings } from "./strings/sign-in.js";

/**
 * Every word that the app shows, a file for each room. What few people ever see is not among the words that every
 * first load carries: alerts, devices, figures and recovery come with their screens.
 */
export const strings = {
  ...appStrings,
  ...onboardingStrings,
  ...practiceStrings,
  ...signInStrings,
  ...requestsStrings,
  ...agentsStrings,
  ...pairingStrings,
  ...settingsStrings,
  ...reviewStrings,
  ...refusalsStrings,
  ...resultStrings,
} as const;
