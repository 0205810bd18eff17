import { aboutAddress, aboutRecipient, findings } from "../address.js";
import { type Args, type Descriptor, type Field, field, optional, said } from "../descriptor.js";
import { formatMoney } from "../money.js";
import { quote } from "../quote.js";

const url: Field = { word: "address", shape: "text", kind: "address", about: aboutAddress };
const recipients = (word: string): Field => ({
  word,
  shape: "texts",
  kind: "person",
  about: aboutRecipient,
});

/** `http.request`, `email.send`, and `payment.send` with its amount in the currency's minor units. */
export const network: Readonly<Record<string, Descriptor>> = {
  "http.request": {
    fields: {
      url,
      method: field.text("method"),
      headers: optional(field.map("header")),
      body: optional(field.any("body")),
    },
    sentence: ({ method, url: to }) => `Send a ${said(method)} request to ${said(to, "address")}`,
  },
  "email.send": {
    fields: {
      to: recipients("to"),
      cc: optional(recipients("cc")),
      bcc: optional(recipients("bcc")),
      attachments: optional(field.paths("attachment")),
      from: optional(recipients("from")),
      subject: optional(field.text("subject")),
      body: optional(field.text("body")),
    },
    sentence: (args) => {
      const all = [args["to"], args["cc"], args["bcc"]].flat().filter((one) => one !== undefined);
      const subject = args["subject"];
      return `Send an e-mail to ${said(all)}${subject === undefined ? "" : ` about ${said(subject, "text")}`}`;
    },
  },
  "payment.send": {
    fields: {
      amount: field.number("amount in minor units"),
      currency: field.text("currency"),
      payee: field.name("payee"),
      account: optional(field.text("account")),
      reference: optional(field.text("reference")),
    },
    sentence: (args) => `Pay ${amountOf(args)} to ${said(args["payee"])}`,
    about: ({ amount, currency }) => {
      const money = formatMoney(Number(amount), String(currency));
      return money === undefined
        ? findings("args.amount", [
            "The amount cannot be told: not whole minor units of a known currency",
          ])
        : findings("args.amount", Number(amount) > 0 ? [] : ["The amount is not above zero"], [
            ["amount", money, "library", "money"],
          ]);
    },
  },
};

const amountOf = ({ amount, currency }: Args): string => {
  const money = formatMoney(Number(amount), String(currency));
  return money === undefined ? `${said(amount)} in ${said(currency)}` : quote(money);
};
