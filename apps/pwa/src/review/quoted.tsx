import { Rendered } from "../ui/text.js";

/** A sentence of the renderer's: what stands between its quotes is somebody else's, and set apart. */
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
