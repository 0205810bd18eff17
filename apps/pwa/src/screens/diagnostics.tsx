import { useEffect, useState } from "preact/hooks";
import { reachable } from "../api/reachable.js";
import { clockOffsetSeconds } from "../clock.js";
import { isInstalled } from "../platform.js";
import { strings } from "../strings.js";

type Fact = readonly [label: string, value: string];

/** What helps to find out why something does not work here. Nothing of it is sent. */
export function Diagnostics() {
  const { diagnostics } = strings;
  const [facts, setFacts] = useState<readonly Fact[]>([]);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (open) void collect().then(setFacts);
  }, [open]);
  return (
    <details
      class="diagnostics"
      onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>{diagnostics.title}</summary>
      <dl class="rows">
        {facts.map(([label, value]) => (
          <div key={label} class="row">
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

async function collect(): Promise<Fact[]> {
  const { diagnostics: words } = strings;
  const yesNo = (value: boolean) => (value ? words.yes : words.no);
  const worker = await navigator.serviceWorker?.getRegistration();
  const alerts = "Notification" in window ? words.permission[Notification.permission] : words.none;
  const subscribed = (await worker?.pushManager?.getSubscription()) ?? null;
  return [
    [words.version, __APP_VERSION__],
    [words.server, `${location.host}, ${reachable.value ? words.reachable : words.unreachable}`],
    [words.clock, words.seconds(clockOffsetSeconds())],
    [words.installed, yesNo(isInstalled())],
    [words.offline, yesNo(worker?.active != null)],
    [words.storage, yesNo((await navigator.storage?.persisted?.()) ?? false)],
    [words.alerts, alerts],
    [words.subscribed, yesNo(subscribed !== null)],
    [words.passkeys, yesNo("PublicKeyCredential" in window)],
  ];
}
