import { nowSeconds } from "../clock.js";
import { recoveryStrings as words } from "../strings/recovery.js";
import { localDate } from "../times.js";
import { CopyButton } from "../ui/copy-button.js";

/** The codes, this once: as they are printed, with what they are for. */
export function CodeSheet({ codes, name }: { codes: readonly string[]; name: string }) {
  const heading = words.sheet(location.host, name, localDate(nowSeconds()));
  return (
    <>
      <section class="code-sheet" aria-label={words.title}>
        <p class="quiet">{heading}</p>
        <ol>
          {codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
      </section>
      <div class="answers">
        <CopyButton text={[heading, ...codes].join("\n")} label={words.copy} />
        <button type="button" class="big" onClick={() => window.print()}>
          {words.print}
        </button>
      </div>
    </>
  );
}
