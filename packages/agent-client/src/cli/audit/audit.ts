import { defineCommand } from "citty";
import { exported } from "./export.js";
import { keys } from "./keys.js";
import { mirror } from "./mirror.js";
import { show } from "./show.js";
import { tail } from "./tail.js";
import { verify } from "./verify.js";

export const audit = defineCommand({
  meta: { name: "audit", description: "Look into what was asked, decided and done, and prove it" },
  subCommands: { verify, show, export: exported, tail, mirror, keys },
});
