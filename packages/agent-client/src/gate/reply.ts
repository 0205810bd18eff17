import type { Reply } from "./confirm.js";

const yes = [
  "y|yes|yeah|yep|yup|sure|ok|okay|do it|go ahead|go for it|please do|yes please|yes do it|yes go ahead|sounds good|confirmed?|approved?|correct|right|absolutely|of course",
  "ja|ja bitte|ja gerne|klar|mach das|mach es|genau|okay mach|oui|oui vas y|d accord|vas y|si|sí|claro|adelante|hazlo|sì|va bene|sim|pode|claro que sim",
].join("|");
const no = [
  "n|no|nope|nah|don t|do not|stop|cancel|wait|hold on|not now|never|no way|no thanks|no thank you|please don t|negative|abort|skip it|forget it|leave it|deny|denied",
  "nein|nicht|nee|halt|warte|lass es|lass das|abbrechen|bloß nicht|non|pas maintenant|arrête|arrete|attends|espera|para|alto|aspetta|ferma|fermati|não|nao|espere",
].join("|");
const isYes = new RegExp(`^(${yes})$`);
const hasNo = new RegExp(`(^|\\s)(${no})(\\s|$)`);
const isNo = new RegExp(`^(${no})$`);
/** Words that carry no answer, around one. */
const filler =
  /(^|\s)(um+|uh+|hm+|er+|well|so|oh|ah|alright|all right|please|then|just|thanks|thank you|bitte|danke)(?=\s|$)/g;

/**
 * A reply in words, written or spoken: "yes" only where the whole of it is one, "no" where it is one or begins with one,
 * and everything between is unclear.
 */
export function readReply(text: string): Reply {
  const plain = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
  const words = plain.replace(filler, " ").replace(/\s+/g, " ").trim();
  if (words === "") return plain === "" ? "no_answer" : "unclear";
  if (isNo.test(words) || isNo.test(words.split(" ")[0] ?? "")) return "no";
  if (hasNo.test(words)) return "unclear";
  return isYes.test(words) || isYes.test(repeated(words)) ? "yes" : "unclear";
}

/** "yes yes" is "yes". */
const repeated = (words: string): string => [...new Set(words.split(" "))].join(" ");
