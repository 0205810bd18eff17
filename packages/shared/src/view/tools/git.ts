import { aboutAddress, findings, looksLikeAddress } from "../address.js";
import { type Descriptor, type Field, field, optional, said } from "../descriptor.js";

/** A remote's name says nothing of where it leads; an address does. */
const remote: Field = {
  word: "remote",
  shape: "text",
  about: (path, text) => (looksLikeAddress(text) ? aboutAddress(path, text) : findings(path, [])),
};
const repository = optional(field.path("repository"));

/** `git.*`, in the words of its commands. */
export const git: Readonly<Record<string, Descriptor>> = {
  "git.push": {
    fields: {
      remote,
      branch: field.text("branch"),
      force: optional(field.boolean("force")),
      repository,
    },
    sentence: ({ remote: to, branch, force }) =>
      `Push the branch ${said(branch)} to ${said(to, "address")}${force === true ? " and overwrite what is there" : ""}`,
  },
  "git.commit": {
    fields: { message: field.text("message"), paths: optional(field.paths("path")), repository },
    sentence: ({ message }) => `Commit changes as ${said(message, "text")}`,
  },
  "git.checkout": {
    fields: { ref: field.text("ref"), repository },
    sentence: ({ ref }) => `Check out ${said(ref)}`,
  },
  "git.merge": {
    fields: { ref: field.text("ref"), repository },
    sentence: ({ ref }) => `Merge ${said(ref)} into the current branch`,
  },
  "git.reset": {
    fields: { ref: field.text("ref"), mode: field.text("mode"), repository },
    sentence: ({ ref, mode }) =>
      `Reset to ${said(ref)}${mode === "hard" ? " and lose what was not committed" : ` (${said(mode)})`}`,
  },
  "git.delete_branch": {
    fields: { branch: field.text("branch"), remote: optional(remote), repository },
    sentence: ({ branch, remote: at }) =>
      `Delete the branch ${said(branch)}${at === undefined ? "" : ` at ${said(at, "address")}`}`,
  },
  "git.clone": {
    fields: { url: remote, path: optional(field.path("path")) },
    sentence: ({ url }) => `Clone the repository ${said(url, "address")}`,
  },
};
