import { strings } from "../strings.js";
import { Sheet } from "./sheet.js";

interface ConfirmSheetProps {
  title: string;
  text: string;
  confirm: string;
  danger?: boolean;
  /** Default: true. */
  ready?: boolean;
  onClose: () => void;
  onConfirm: () => void;
}

/** Asks once more before something that is not easily taken back. */
export function ConfirmSheet(props: ConfirmSheetProps) {
  const { title, text, confirm, danger = false, ready = true, onClose, onConfirm } = props;
  return (
    <Sheet title={title} onClose={onClose}>
      <p>{text}</p>
      <div class="answers">
        <button type="button" class="big quiet-button" onClick={onClose}>
          {strings.cancel}
        </button>
        <button
          type="button"
          class={danger ? "big danger-button" : "big primary"}
          disabled={!ready}
          onClick={onConfirm}
        >
          {confirm}
        </button>
      </div>
    </Sheet>
  );
}
