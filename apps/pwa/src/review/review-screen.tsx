import { useEffect, useMemo, useState } from "preact/hooks";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Busy, Empty, Failed, Screen } from "../ui/screen.js";
import type { AfterResult, AfterResultProps } from "./after-result.js";
import { OpenRequest } from "./open-request.js";
import { openReview } from "./review.js";

/** One request, from reading it to seeing what became of it. */
export default function ReviewScreen({ rid, own }: { rid: string; own: SignedIn }) {
  const review = useMemo(() => openReview(rid, own), [rid, own]);
  useEffect(() => review.close, [review]);
  const view = review.view.value;
  return (
    <Screen
      title={strings.review.title}
      back={{ href: "/", label: strings.tabs.inbox }}
      class="review"
    >
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "missing" && (
        <Empty title={strings.notFound.title}>
          <p>{strings.notFound.text}</p>
        </Empty>
      )}
      {view.kind === "failed" && <Failed sentence={view.sentence} onRetry={review.reload} />}
      {view.kind === "open" && (
        <OpenRequest
          review={review}
          opened={view.opened}
          progress={view.progress}
          after={<After opened={view.opened} progress={view.progress} own={own} />}
        />
      )}
    </Screen>
  );
}

/** In a chunk of its own: nobody needs it before a request is answered, and nothing is lost without it. */
function After(props: AfterResultProps) {
  const [loaded, setLoaded] = useState<{ Result: typeof AfterResult } | null>(null);
  useEffect(() => {
    import("./after-result.js").then(
      ({ AfterResult: Result }) => setLoaded({ Result }),
      () => undefined,
    );
  }, []);
  return loaded && <loaded.Result {...props} />;
}
