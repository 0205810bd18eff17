const marks = /(⟦[^⟧]*⟧|⏎)/;

/**
 * Text of somebody else, as the renderer made it visible: what would have been hidden stands out as a mark.
 * It cannot change the direction or order of anything around it, and it is only ever text nodes.
 */
export function Rendered({ children }: { children: string }) {
  return (
    <bdi class="isolated" dir="ltr">
      {children.split(marks).map((part, index) =>
        // split() puts what the group caught at the odd places.
        index % 2 === 1 ? (
          <mark key={index} class={part === "⏎" ? "break" : undefined}>
            {part}
          </mark>
        ) : (
          part
        ),
      )}
    </bdi>
  );
}
