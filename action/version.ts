/** The version of the Action, as every genesis record states it. A test holds it to package.json. */
export const VERSION = "0.1.0";
