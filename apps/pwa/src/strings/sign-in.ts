/** The door of somebody who is known. */
export const signInStrings = {
  signIn: {
    title: "Countersign",
    lead: "Agents ask. You look. Nothing dangerous happens without your passkey.",
    button: "Sign in with passkey",
    newHere: "New here?",
    invitation: "Type an invitation",
    server: "Server",
  },
} as const;
