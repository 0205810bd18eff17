import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {children}
    </svg>
  );
}

export const InboxIcon = () => (
  <Icon>
    <path d="M4 13h4l1.5 3h5L16 13h4" />
    <path d="M6.5 5h11L20 13v5.5H4V13z" />
  </Icon>
);
export const AgentIcon = () => (
  <Icon>
    <rect x="4" y="5" width="16" height="11" rx="1.5" />
    <path d="M9 20h6M12 16v4" />
  </Icon>
);
export const HistoryIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
);
export const PersonIcon = () => (
  <Icon>
    <circle cx="12" cy="8.5" r="3.5" />
    <path d="M5 19.5c1.2-3.3 3.8-5 7-5s5.8 1.7 7 5" />
  </Icon>
);
export const BackIcon = () => (
  <Icon>
    <path d="M14.5 6 8.5 12l6 6" />
  </Icon>
);
/** The same mark for the same tier everywhere: shape and word tell as much as the colour. */
export const DangerIcon = () => (
  <Icon>
    <path d="M12 4.5 20.5 19h-17z" />
    <path d="M12 10.5v4M12 16.8v.2" />
  </Icon>
);
export const CarefulIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 8v5M12 15.8v.2" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="M5.5 12.5l4.3 4.3 8.7-9.6" />
  </Icon>
);
export const CrossIcon = () => (
  <Icon>
    <path d="M7 7l10 10M17 7 7 17" />
  </Icon>
);
export const Mark = () => (
  <svg class="brand" viewBox="0 0 48 48" aria-hidden="true">
    <rect class="brand-ground" width="48" height="48" rx="12" />
    <path class="brand-check" d="M14 25l7 7 14-16" />
    <path class="brand-line" d="M14 38h20" />
  </svg>
);
