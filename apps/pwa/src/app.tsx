import type { ComponentType } from "preact";
import lazy, { ErrorBoundary } from "preact-iso/lazy";
import { LocationProvider, Route, Router, useLocation } from "preact-iso/router";
import { AlertsInApp } from "./push/alerts-in-app.js";
import { InboxScreen } from "./screens/inbox.js";
import { NotFoundScreen } from "./screens/not-found.js";
import { UnreachableScreen, WrongAddressScreen } from "./screens/unreachable.js";
import { type SignedIn, session } from "./session.js";
import { strings } from "./strings.js";
import { Notices } from "./ui/notices.js";
import { Busy } from "./ui/screen.js";
import { Tabs } from "./ui/tabs.js";

/** A screen in a chunk of its own: precached, and not needed for the first sight. */
const screen = <P,>(load: () => Promise<{ default: ComponentType<P> }>) =>
  lazy(() => load().catch(() => ({ default: UnreachableScreen as ComponentType<P> })));

const SignInScreen = screen(() => import("./screens/sign-in.js"));
const EnrolScreen = screen(() => import("./screens/enrol.js"));
const EnrolledScreen = screen(() => import("./screens/enrolled.js"));
const AlertsStep = screen(() => import("./screens/alerts-step.js"));
const PracticeScreen = screen(() => import("./practice/practice-screen.js"));
const loadReview = () => import("./review/review-screen.js");
const ReviewScreen = screen(loadReview);
const PairScreen = screen(() => import("./pairing/pair-screen.js"));
const AgentsScreen = screen(() => import("./screens/agents.js"));
const HistoryScreen = screen(() => import("./screens/history.js"));
const DevicesScreen = screen(() => import("./devices/devices-screen.js"));
const LinkScreen = screen(() => import("./devices/link-screen.js"));
const RecoverScreen = screen(() => import("./recovery/recover-screen.js"));
const CodesScreen = screen(() => import("./recovery/codes-screen.js"));
const OversightScreen = screen(() => import("./oversight/oversight-screen.js"));
const YouScreen = screen(() => import("./screens/you.js"));

// Who comes from an alert has it under way while the session is asked for.
if (location.pathname.startsWith("/requests/")) loadReview().catch(() => undefined);

export function App() {
  return (
    <LocationProvider>
      <ErrorBoundary>
        <Notices />
        <Screens />
      </ErrorBoundary>
    </LocationProvider>
  );
}

function Screens() {
  const current = session.value;
  const { path } = useLocation();
  switch (current.status) {
    case "loading":
      return <Busy label={strings.loading} />;
    case "unreachable":
      return <UnreachableScreen />;
    case "wrong_address":
      return <WrongAddressScreen origin={current.origin} />;
    case "signed_out":
      if (path === "/link") return <LinkScreen site={current.site} own={null} />;
      if (path === "/recover") return <RecoverScreen site={current.site} />;
      return path === "/enrol" || (path === "/" && current.invited) ? (
        <EnrolScreen site={current.site} invited={current.invited} />
      ) : (
        <SignInScreen site={current.site} />
      );
    case "signed_in":
      return <SignedInScreens own={current} />;
  }
}

const withTabs = ["/", "/agents", "/history", "/you"];

function SignedInScreens({ own }: { own: SignedIn }) {
  const { path } = useLocation();
  return (
    <>
      <AlertsInApp own={own} />
      <Router>
        <Route path="/" component={InboxScreen} own={own} />
        <Route path="/requests/:rid" component={ReviewScreen} own={own} />
        <Route path="/agents" component={AgentsScreen} own={own} />
        <Route path="/pair" component={PairScreen} own={own} />
        <Route path="/alerts" component={AlertsStep} own={own} />
        <Route path="/practice" component={PracticeScreen} own={own} />
        <Route path="/history" component={HistoryScreen} own={own} />
        <Route path="/devices" component={DevicesScreen} own={own} />
        <Route path="/link" component={LinkScreen} site={own.site} own={own} />
        <Route path="/recovery" component={CodesScreen} own={own} />
        <Route path="/oversight" component={OversightScreen} own={own} />
        <Route path="/you" component={YouScreen} own={own} />
        <Route path="/enrol" component={EnrolledScreen} own={own} />
        <Route default component={NotFoundScreen} />
      </Router>
      {withTabs.includes(path) && <Tabs />}
    </>
  );
}
