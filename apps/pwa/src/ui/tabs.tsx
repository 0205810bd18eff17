import { useLocation } from "preact-iso/router";
import { strings } from "../strings.js";
import { AgentIcon, HistoryIcon, InboxIcon, PersonIcon } from "./icons.js";

const tabs = [
  { href: "/", label: strings.tabs.inbox, TabIcon: InboxIcon },
  { href: "/agents", label: strings.tabs.agents, TabIcon: AgentIcon },
  { href: "/history", label: strings.tabs.history, TabIcon: HistoryIcon },
  { href: "/you", label: strings.tabs.you, TabIcon: PersonIcon },
];

export function Tabs() {
  const { path } = useLocation();
  return (
    <nav class="tabs" aria-label={strings.tabs.label}>
      {tabs.map(({ href, label, TabIcon }) => (
        <a key={href} href={href} aria-current={path === href ? "page" : undefined}>
          <TabIcon />
          {label}
        </a>
      ))}
    </nav>
  );
}
