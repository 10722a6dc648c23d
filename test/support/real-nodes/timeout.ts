import { jest } from "@jest/globals";

// jest has one time limit for all projects; what boots nodes or builds programs needs a longer one.
jest.setTimeout(45 * 60_000);
