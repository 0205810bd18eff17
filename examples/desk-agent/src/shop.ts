import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Shop {
  url: string;
  /** How often somebody really paid. */
  payments(): number;
  close(): Promise<void>;
}

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Corner shop</title>
<style>
body { font: 18px system-ui, sans-serif; margin: 24px 40px; color: #1c2430; background: #f7f5f0 }
h1 { font-size: 30px; margin: 0 0 16px } table { border-collapse: collapse; margin-bottom: 24px }
td { padding: 8px 24px 8px 0; border-bottom: 1px solid #d9d4c7 } b { font-size: 22px }
form { margin: 0 0 20px } input { font: inherit; padding: 8px; width: 300px }
button { font: inherit; padding: 14px 36px; border: 0; border-radius: 8px; background: #14532d; color: white }
</style></head><body>
<form role="search" action="/"><input id="search" type="search" name="q" aria-label="Search the shop"></form>
<h1>Your basket</h1>
<table><tr><td>Desk lamp</td><td>89.00 EUR</td></tr><tr><td>Shipping</td><td>4.90 EUR</td></tr>
<tr><td><b>Total</b></td><td><b>93.90 EUR</b></td></tr></table>
<p><button id="details" type="button" onclick="lamp.hidden = false">Show details</button>
<span id="lamp" hidden>Desk lamp, 40 watts, two years old</span></p>
<form method="post" action="/pay"><button id="pay">Pay 93.90 EUR</button></form>
</body></html>`;

/** A shop on this machine that counts who paid. */
export async function openShop(): Promise<Shop> {
  let payments = 0;
  const server = createServer((request, response) => {
    if (request.method === "POST" && request.url === "/pay") payments += 1;
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(request.url === "/pay" ? "<h1>Thank you</h1>" : page);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    payments: () => payments,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
