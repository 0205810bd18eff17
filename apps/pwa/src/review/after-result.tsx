import { useState } from "preact/hooks";
import { getRequest } from "../api/endpoints.js";
import { sentenceFor } from "../failure.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Problem } from "../ui/screen.js";
import type { Opened } from "./opened.js";

/** Where to go from a result, and what to keep of it. */
export function AfterResult({ opened, own }: { opened: Opened; own: SignedIn }) {
  const { result } = strings;
  const [problem, setProblem] = useState<string>();
  const { agent, request } = opened.verdict;
  const save = async () => {
    try {
      // Its own chunk: few reviews end with it.
      const { evidenceFile, saveFile } = await import("./evidence-file.js");
      const file = await evidenceFile(opened, await getRequest(opened.rid), own);
      if (file) saveFile(file);
      setProblem(undefined);
    } catch (error) {
      setProblem(sentenceFor(error));
    }
  };
  return (
    <div class="after-result">
      <Problem sentence={problem} />
      {agent && request && (
        <button type="button" class="small" onClick={() => void save()}>
          {result.evidence}
        </button>
      )}
      <a class="small" href="/">
        {result.inbox}
      </a>
    </div>
  );
}
