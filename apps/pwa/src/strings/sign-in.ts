/** The door of somebody who is known. */
export const signInStrings = {
  signIn: {
    title: "Countersign",
    lead: "Agents ask. You look. Nothing dangerous happens without your passkey.",
    button: "Sign in with passkey",
    newHere: "New here?",
    invitation: "Type an invitation",
    newPhone: "New phone?",
    addThis: "Add it to your account",
    lostAll: "Lost every phone?",
    recover: "Use a recovery code",
    server: "Server",
  },
} as const;
