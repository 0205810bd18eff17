/** The package's own file: `punycode` alone is Node's, which is to go away. */
declare module "punycode/punycode.js" {
  const punycode: {
    /** @throws RangeError */
    toASCII(domain: string): string;
    /** @throws RangeError */
    toUnicode(domain: string): string;
  };
  export default punycode;
}
