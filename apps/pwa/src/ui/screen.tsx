import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { strings } from "../strings.js";
import { BackIcon } from "./icons.js";
import { Quoted } from "./text.js";

interface ScreenProps {
  title: string;
  back?: { href: string; label: string };
  children: ComponentChildren;
  class?: string;
}

/** One screen: a heading that takes the focus when the screen opens, so that it is read out, and its contents. */
export function Screen({ title, back, children, class: className = "" }: ScreenProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${strings.app}`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <main class={`screen ${className}`}>
      <header class="screen-head">
        {back && (
          <a class="back" href={back.href}>
            <BackIcon />
            {back.label}
          </a>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
      </header>
      {children}
    </main>
  );
}

/** Nothing to list: a sentence, not an illustration. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** What went wrong, read out as it appears. */
export function Problem({ sentence }: { sentence: string | undefined }) {
  return (
    <p class="problem" role="alert" hidden={!sentence}>
      {sentence}
    </p>
  );
}

interface FailedProps {
  sentence: string;
  onRetry: () => void;
}

/** What could not be had, and another try: an installed app has no button of its own to load anew. */
export const Failed = ({ sentence, onRetry }: FailedProps) => (
  <>
    <Problem sentence={sentence} />
    <button type="button" class="big" onClick={onRetry}>
      {strings.retry}
    </button>
  </>
);

export const Busy = ({ label }: { label: string }) => (
  <p class="busy" role="status">
    <span class="spinner" />
    <span>
      <Quoted>{label}</Quoted>
    </span>
  </p>
);
