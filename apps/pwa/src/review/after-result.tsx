import { type RequestTimes, requestTimes } from "@countersign/shared";
import { useState } from "preact/hooks";
import { call } from "../api/call.js";
import { getRequest } from "../api/endpoints.js";
import { sentenceFor } from "../failure.js";
import type { SignedIn } from "../session.js";
import { storyStrings } from "../strings/story.js";
import { strings } from "../strings.js";
import { Problem } from "../ui/screen.js";
import type { AfterPictures } from "./after-picture.js";
import type { Opened, Progress } from "./opened.js";
import { Story } from "./story.js";

export interface AfterResultProps {
  opened: Opened;
  progress: Progress;
  own: SignedIn;
}

/** Where to go from a result, and what to keep of it. */
export function AfterResult({ opened, progress, own }: AfterResultProps) {
  const { result } = strings;
  const [problem, setProblem] = useState<string>();
  const [pictures, setPictures] = useState<{ show: typeof AfterPictures } | null>(null);
  const [times, setTimes] = useState<RequestTimes["times"] | null>(null);
  const { agent, request } = opened.verdict;
  const tell = () =>
    void call(requestTimes, `/app/requests/${encodeURIComponent(opened.rid)}/times`).then(
      (answer) => setTimes(answer.times),
      (error) => setProblem(sentenceFor(error)),
    );
  const save = async () => {
    try {
      // A chunk of its own: few reviews end with it.
      const { evidenceFile, saveFile } = await import("./evidence-file.js");
      const file = await evidenceFile(opened, await getRequest(opened.rid), own);
      if (file) saveFile(file);
      setProblem(undefined);
    } catch (error) {
      setProblem(sentenceFor(error));
    }
  };
  const pictured = progress.outcomes.flatMap((one) => (one?.sealed_sha256 ? [one] : []));
  const look = () =>
    void import("./after-picture.js").then(
      ({ AfterPictures: show }) => setPictures({ show }),
      () => setProblem(strings.failures.unreachable),
    );
  return (
    <div class="after-result">
      <Problem sentence={problem} />
      {agent && request && (
        <button type="button" class="small" onClick={() => void save()}>
          {result.evidence}
        </button>
      )}
      {pictured.length > 0 && agent && own.device && (
        <button type="button" class="small" onClick={look}>
          {result.afterPicture}
        </button>
      )}
      {!times && (
        <button type="button" class="small" onClick={tell}>
          {storyStrings.title}
        </button>
      )}
      {times && <Story times={times} outcomes={progress.outcomes} />}
      {pictures && agent && own.device && (
        <pictures.show
          rid={opened.rid}
          host={agent.host}
          outcomes={pictured}
          device={own.device}
          onClose={() => setPictures(null)}
        />
      )}
      <a class="small" href="/">
        {result.inbox}
      </a>
    </div>
  );
}
