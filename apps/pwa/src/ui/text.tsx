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

/** A sentence of ours, or of the renderer's: what stands between its quotes is somebody else's, and set apart. */
export function Quoted({ children }: { children: string }) {
  return (
    <>
      {children.split(/⟪([^⟪⟫]*)⟫/).map((part, index) =>
        // split() puts what the group caught at the odd places.
        index % 2 === 1 ? (
          <code key={index}>
            <Rendered>{part}</Rendered>
          </code>
        ) : (
          part
        ),
      )}
    </>
  );
}
