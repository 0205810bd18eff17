import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTilePath, type Tile, tileHashReader, tilePath, widthOfTile } from "./tiles.js";

const anyTile: fc.Arbitrary<Tile> = fc.record({
  level: fc.oneof(fc.constant("entries" as const), fc.nat(63)),
  index: fc.nat(2 ** 40),
  width: fc.integer({ min: 1, max: 256 }),
});

describe("paths of tiles", () => {
  test.each([
    [{ level: 0, index: 1234067, width: 256 }, "tile/0/x001/x234/067"],
    [{ level: 0, index: 273, width: 112 }, "tile/0/273.p/112"],
    [{ level: "entries", index: 0, width: 1 }, "tile/entries/000.p/1"],
    [{ level: 2, index: 1000, width: 256 }, "tile/2/x001/000"],
  ] as const)("%o is %s", (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test("are read back as what they name", () => {
    fc.assert(
      fc.property(anyTile, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  test.each([
    "tile/00/000",
    "tile/64/000",
    "tile/0/0",
    "tile/0/x000/001",
    "tile/0/001.p/256",
    "tile/0/001.p/0",
    "tile/0/001.p/07",
    "tile/0/x001",
    "tile/0/001/x234",
    "tile/-1/000",
    "tile/0/000.p/",
    "tile/0/../000",
    "/tile/0/000",
    "tile/x/000",
  ])("%s is none", (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

test("the tiles of a tree of 70,000 are those of the standard's example", () => {
  expect(widthOfTile(0, 272, 70_000)).toBe(256);
  expect(widthOfTile(0, 273, 70_000)).toBe(112);
  expect(widthOfTile(1, 0, 70_000)).toBe(256);
  expect(widthOfTile(1, 1, 70_000)).toBe(17);
  expect(widthOfTile(2, 0, 70_000)).toBe(1);
  expect(widthOfTile(2, 1, 70_000)).toBe(0);
});

test("a tile of another length than its tree demands is refused", async () => {
  const read = tileHashReader(3, async () => new Uint8Array(32 * 4));
  await expect(read(0, 0)).rejects.toMatchObject({ code: "log_invalid" });
});
