import { execFile } from "node:child_process";
import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const packageName = "@sparticuz/chromium";

export type Program = { executablePath: string; env: Record<string, string> };

/** Unpacks the npm package's browser once (1.5 s, 250 MB) and says how to launch it. */
export async function packagedChromium(): Promise<Program> {
  const directory = await unpackedOnce();
  return {
    executablePath: join(directory, "chromium"),
    env: {
      // It brings the NSS libraries that a bare server lacks.
      LD_LIBRARY_PATH: join(directory, "al2023", "lib"),
      FONTCONFIG_FILE: join(directory, "fonts.conf"),
    },
  };
}

async function unpackedOnce(): Promise<string> {
  const { entry, version, cache } = locate();
  const directory = join(cache, `chromium-${version}`);
  if (await exists(directory)) {
    return directory;
  }
  // Test files run side by side: each unpacks apart, and the first to finish wins.
  const unfinished = `${directory}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  await unpack(entry, unfinished);
  await writeFile(join(unfinished, "fonts.conf"), fontsConf);
  await rename(unfinished, directory).catch(() => rm(unfinished, { recursive: true, force: true }));
  return directory;
}

/** In a process of its own: the package reads TMPDIR and the Lambda variable, and changes its environment, on import. */
async function unpack(entry: string, directory: string): Promise<void> {
  const program = `const { default: chromium } = await import(${JSON.stringify(pathToFileURL(entry).href)}); await chromium.executablePath();`;
  await run(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, TMPDIR: directory, AWS_LAMBDA_JS_RUNTIME: "nodejs20.x" },
  });
}

function locate(): { entry: string; version: string; cache: string } {
  const require = createRequire(import.meta.url);
  try {
    const entry = require.resolve(packageName);
    const [nodeModules] = entry.split(join("/", packageName, "/")) as [string];
    const { version } = require(join(nodeModules, packageName, "package.json")) as {
      version: string;
    };
    if (process.platform !== "linux" || process.arch !== "x64") {
      throw new Error(
        `it holds a Linux x64 program, and this is ${process.platform} ${process.arch}`,
      );
    }
    return { entry, version, cache: join(nodeModules, ".cache", "countersign") };
  } catch (cause) {
    throw new Error(
      "No browser for the tests: install Chrome or Chromium and name it in CHROME_PATH.",
      { cause },
    );
  }
}

/** The one that the package brings points at a fixed place, and without a font no text is drawn at all. */
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
</fontconfig>
`;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
