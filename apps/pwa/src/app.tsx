import lazy, { ErrorBoundary } from "preact-iso/lazy";
import { LocationProvider, Route, Router, useLocation } from "preact-iso/router";
import { AgentsScreen } from "./screens/agents.js";
import { EnrolScreen } from "./screens/enrol.js";
import { EnrolledScreen } from "./screens/enrolled.js";
import { HistoryScreen } from "./screens/history.js";
import { InboxScreen } from "./screens/inbox.js";
import { NotFoundScreen } from "./screens/not-found.js";
import { SignInScreen } from "./screens/sign-in.js";
import { UnreachableScreen, WrongAddressScreen } from "./screens/unreachable.js";
import { YouScreen } from "./screens/you.js";
import { type SignedIn, session } from "./session.js";
import { strings } from "./strings.js";
import { Notices } from "./ui/notices.js";
import { Busy } from "./ui/screen.js";
import { Tabs } from "./ui/tabs.js";

// The chunks that open sealed contexts and verify signatures: not needed for the first sight.
const ReviewScreen = lazy(() =>
  import("./review/review-screen.js").catch(() => ({ default: UnreachableScreen })),
);
const PairScreen = lazy(() =>
  import("./pairing/pair-screen.js").catch(() => ({ default: UnreachableScreen })),
);

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
      return path === "/enrol" ? (
        <EnrolScreen site={current.site} />
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
      <Router>
        <Route path="/" component={InboxScreen} own={own} />
        <Route path="/requests/:rid" component={ReviewScreen} own={own} />
        <Route path="/agents" component={AgentsScreen} own={own} />
        <Route path="/pair" component={PairScreen} own={own} />
        <Route path="/history" component={HistoryScreen} own={own} />
        <Route path="/you" component={YouScreen} own={own} />
        <Route path="/enrol" component={EnrolledScreen} own={own} />
        <Route default component={NotFoundScreen} />
      </Router>
      {withTabs.includes(path) && <Tabs />}
    </>
  );
}
