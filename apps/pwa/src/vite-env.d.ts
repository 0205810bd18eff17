/** The package's version and when it was built, put in by the build. */
declare const __APP_VERSION__: string;
