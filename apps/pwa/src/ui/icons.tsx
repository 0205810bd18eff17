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
export const PlusIcon = () => (
  <Icon>
    <path d="M12 6v12M6 12h12" />
  </Icon>
);
export const MinusIcon = () => (
  <Icon>
    <path d="M6 12h12" />
  </Icon>
);
export const TargetIcon = () => (
  <Icon>
    <path d="M5 9V5h4M15 5h4v4M19 15v4h-4M9 19H5v-4" />
    <circle cx="12" cy="12" r="2" />
  </Icon>
);
export const ChevronIcon = () => (
  <Icon>
    <path d="M9.5 6l6 6-6 6" />
  </Icon>
);
export const ShareIcon = () => (
  <Icon>
    <path d="M12 14V4M8.5 7 12 3.8 15.5 7" />
    <path d="M8 10.5H6v9h12v-9h-2" />
  </Icon>
);
export const MenuIcon = () => (
  <Icon>
    <path d="M12 6v.2M12 12v.2M12 18v.2" />
  </Icon>
);
export const AddIcon = () => (
  <Icon>
    <rect x="4.5" y="4.5" width="15" height="15" rx="3.5" />
    <path d="M12 8.5v7M8.5 12h7" />
  </Icon>
);
export const OfflineIcon = () => (
  <Icon>
    <path d="M4 4l16 16M8.2 12.2a6 6 0 0 1 3-1.6M15.8 12.2l-1-.7M5 9a11 11 0 0 1 3.2-2M11 6a11 11 0 0 1 8 3M12 17v.2" />
  </Icon>
);
export const Mark = () => (
  <svg class="brand" viewBox="0 0 48 48" aria-hidden="true">
    <rect class="brand-ground" width="48" height="48" rx="12" />
    <path class="brand-check" d="M14 25l7 7 14-16" />
    <path class="brand-line" d="M14 38h20" />
  </svg>
);
