import type { View } from "@countersign/shared";
import { useMemo } from "preact/hooks";
import { strings } from "../strings.js";
import { groupRows } from "./groups.js";
import { PictureFrame, type PictureState } from "./picture-frame.js";
import { Rows } from "./rows.js";
import { Sentence, Warnings } from "./sentence.js";
import type { Readable, Verified } from "./verify.js";

interface ContentsProps {
  verdict: Readable | Verified;
  pictureState: { value: PictureState };
}

/** The renderer's first row. */
const sentenceOf = (view: View): string => view.find((row) => row[3] === "sentence")?.[1] ?? "";

/** The verified contents, in the order in which a person needs them; the model's claim comes last. */
export function Contents({ verdict, pictureState }: ContentsProps) {
  const { manifest, agent, view } = verdict;
  const announced = manifest.screenshot && { ...manifest.screenshot, bytes: null };
  const picture = verdict.kind === "verified" ? verdict.picture : announced;
  const groups = useMemo(() => groupRows(view), [view]);
  const { groups: names } = strings.review;
  return (
    <>
      <Sentence sentence={sentenceOf(view)} reversible={manifest.action.reversible} />
      <Warnings rows={groups.warnings} />
      <h2>{names.action}</h2>
      <Rows rows={groups.action} />
      {picture ? (
        // Whoever scrolled past its empty place has not seen it: it comes as a piece of its own.
        <PictureFrame
          key={verdict.kind}
          picture={picture}
          host={agent.host}
          capturedAt={manifest.captured_at}
          alt={strings.review.pictureAlt}
          target={manifest.action.target?.rectangle}
          state={pictureState.value}
          onState={(state) => {
            pictureState.value = state;
          }}
        />
      ) : (
        <p class="no-picture">{strings.review.noPicture}</p>
      )}
      <h2>{names.rules}</h2>
      <Rows rows={groups.rules} />
      <h2>{names.circumstances}</h2>
      <Rows rows={groups.circumstances} />
      <h2>{names.picture}</h2>
      <Rows rows={groups.picture} />
      {groups.claim.length > 0 && (
        <>
          <h2>{names.claim}</h2>
          <blockquote>
            <Rows rows={groups.claim} />
          </blockquote>
        </>
      )}
    </>
  );
}
