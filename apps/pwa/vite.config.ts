import { readFileSync } from "node:fs";
import { minify } from "terser";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/** After the built-in one: of the review, a kilobyte less than either makes alone. */
const minifyAgain: Plugin = {
  name: "minify-again",
  async generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      const smaller = await minify(chunk.code, {
        module: true,
        ecma: 2020,
        compress: { passes: 3 },
      });
      chunk.code = smaller.code ?? chunk.code;
    }
  },
};

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify(version) },
  resolve: {
    conditions: ["@countersign/source", "module", "browser", "development|production"],
    // The same code as a module: the other one brings a kilobyte of wrapping.
    alias: { "punycode/punycode.js": "punycode/punycode.es6.js" },
  },
  build: {
    target: ["safari17.4", "chrome120", "firefox121"],
    // The CSP that the broker sends allows no inline script, and all styles are one small file.
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What every screen needs in one piece: a dozen files of a few lines cost more than they hold.
          groups: [
            {
              name: "common",
              test: /src[\\/](wait|preferences|platform|times|clock|failure|arrival|session|strings|strings[\\/](?!after-picture|alerts|devices|oversight|recovery|story)[\w-]+|pairing[\\/]pending|keys[\\/](paired-agents|database)|ui[\\/]\w+)\.tsx?$/,
            },
          ],
        },
      },
    },
  },
  plugins: [
    minifyAgain,
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "sw.ts",
      // The plugin's own registration breaks Trusted Types: service-worker.ts registers.
      injectRegister: false,
      injectManifest: { globPatterns: ["**/*.{js,css,html,svg,png}"] },
      manifest: {
        id: "/",
        name: "Countersign",
        short_name: "Countersign",
        description: "Approve an agent's dangerous actions with your passkey",
        start_url: "/",
        scope: "/",
        display: "standalone",
        background_color: "#f4f3ef",
        theme_color: "#f4f3ef",
        icons: [
          { src: "/icon.svg", sizes: "any", type: "image/svg+xml" },
          { src: "/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icon-512.png", sizes: "512x512", type: "image/png", purpose: "any" },
          { src: "/icon-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
    }),
  ],
});
