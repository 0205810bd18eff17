import { type Action, visible } from "@countersign/shared";
import { strings } from "../strings.js";
import { Rendered } from "../ui/text.js";

/** What would happen, in one plain sentence of ours: the names in it are the action's, made visible and set apart. */
export function Sentence({ action }: { action: Action }) {
  const { sentence } = strings.review;
  const { element, application, window, url } = action.target ?? {};
  const places = [
    [sentence.on, element],
    [sentence.in, application ?? window],
    [sentence.at, url],
  ] as const;
  return (
    <p class="sentence">
      {sentence.start} <Name>{action.tool}</Name>
      {places.map(([word, name]) =>
        name === undefined ? null : (
          <span key={word}>
            {" "}
            {word} <Name>{name}</Name>
          </span>
        ),
      )}
      {". "}
      <span class={action.reversible ? undefined : "danger"}>
        {action.reversible ? sentence.undo : sentence.noUndo}
      </span>
    </p>
  );
}

const Name = ({ children }: { children: string }) => (
  <code>
    <Rendered>{visible(children)}</Rendered>
  </code>
);
