import { oversight } from "@countersign/shared";
import { call } from "../api/call.js";

export const getOversight = () => call(oversight, "/app/oversight");
