import { agentsStrings } from "./strings/agents.js";
import { alertsStrings } from "./strings/alerts.js";
import { appStrings } from "./strings/app.js";
import { devicesStrings } from "./strings/devices.js";
import { onboardingStrings } from "./strings/onboarding.js";
import { pairingStrings } from "./strings/pairing.js";
import { practiceStrings } from "./strings/practice.js";
import { refusalsStrings } from "./strings/refusals.js";
import { requestsStrings } from "./strings/requests.js";
import { resultStrings } from "./strings/result.js";
import { reviewStrings } from "./strings/review.js";
import { settingsStrings } from "./strings/settings.js";
import { signInStrings } from "./strings/sign-in.js";

/** Every word that the app shows: a file for each room, one catalogue. */
export const strings = {
  ...appStrings,
  ...onboardingStrings,
  ...practiceStrings,
  ...signInStrings,
  ...requestsStrings,
  ...agentsStrings,
  ...pairingStrings,
  ...settingsStrings,
  ...devicesStrings,
  ...alertsStrings,
  ...reviewStrings,
  ...refusalsStrings,
  ...resultStrings,
} as const;
